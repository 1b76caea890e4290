package dev.jarvis.budget;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.budget.Budget.Period;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.budget.RedisReservations.Reply;
import dev.jarvis.budget.RedisReservations.Status;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two replicas and the scripts against a simple reference: reserve, reserve more, settle, release,
 * write to the ledger, confirm, refresh, die, recover, and lose all that Redis has.
 */
@Timeout(300)
class RedisBudgetsModelTest {
  private static final Duration LEASE = Duration.ofSeconds(15);
  private static final Duration GRACE = Duration.ofSeconds(10);
  private static final int STEPS = 500;
  private static final Zone ZONE = Zone.parse("Europe/Berlin");

  @TempDir Path home;
  private Telemetry telemetry;
  private TestRedis server;
  private Redis redis;
  private long now = 1_764_370_000_000L; // 2025-11-28, 23:46 in Berlin

  private RedisKeys keys;
  private RedisBases bases;
  private final Map<UUID, Known> calls = new LinkedHashMap<>();
  private final List<Refresh> refreshes = new ArrayList<>();
  private Random random = new Random(0);
  private int names;

  /** Since then Redis may count a call twice, until the bases are refreshed. */
  private boolean atMost;

  private final List<Budget> budgets =
      List.of(
          budget(Scope.ALL, Period.MONTH, 4_000),
          budget(Scope.TEAM, Period.DAY, 1_500),
          budget(Scope.USER, Period.NONE, 2_500));

  /** A call as the reference knows it. */
  private static final class Known {
    final Demand demand;
    int owner;
    long amount;
    long spent = -1; // once it is settled
    boolean written;
    boolean confirmed;
    boolean dead;

    Known(Demand demand, int owner) {
      this.demand = demand;
      this.owner = owner;
      this.amount = demand.nanos();
    }

    long nanos() {
      return spent < 0 ? amount : spent;
    }
  }

  /** A refresh in progress: what it has read of the ledger. */
  private record Refresh(Budget budget, CounterName counter, long generation, Set<UUID> ledger) {}

  private static Budget budget(Scope scope, Period period, long nanos) {
    return new Budget(
        UUID.randomUUID(),
        scope,
        scope == Scope.ALL ? "" : "it",
        period,
        Nanos.usd(nanos),
        true,
        Instant.EPOCH,
        Instant.EPOCH);
  }

  /** What one replica has: its lease, and its view of the epoch. */
  private final class Replica {
    final String name = "replica-" + names++;
    final RedisReservations reservations = new RedisReservations(keys, name, ZONE, GRACE);
    final RedisLeases leases = new RedisLeases(keys, name, LEASE);
    long epoch;
  }

  private final Replica[] replicas = new Replica[2];

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    server = TestRedis.take();
    redis = Stores.redis(server.config(Duration.ofSeconds(20)), home, telemetry);
    keys = new RedisKeys(redis, () -> Long.toString(now));
    bases = new RedisBases(keys);
    replicas[0] = new Replica();
    replicas[1] = new Replica();
  }

  @AfterEach
  void stop() throws Exception {
    redis.close();
    server.close();
    telemetry.close();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void countLikeTheReference(long seed) throws Exception {
    random = new Random(seed);
    int granted = 0;
    int refused = 0;
    long excess = 0;
    for (int step = 0; step < STEPS; step++) {
      now += random.nextInt(4_000);
      for (Replica each : replicas) {
        get(each.leases.renew());
      }
      switch (random.nextInt(20)) {
        case 0, 1, 2, 3, 4, 5, 6 -> {
          Status status = reserve(random.nextInt(2));
          granted += status == Status.GRANTED ? 1 : 0;
          refused += status == Status.REFUSED ? 1 : 0;
        }
        case 7, 8 -> reserveMore();
        case 9, 10, 11 -> excess += settle();
        case 12 -> release();
        case 13, 14 -> write();
        case 15 -> confirm();
        case 16, 17 -> beginRefresh();
        case 18 -> endRefresh();
        default -> {
          if (random.nextInt(6) == 0) {
            flush();
          } else if (random.nextInt(3) == 0) {
            excess += die();
          }
        }
      }
      check("seed %d, step %d".formatted(seed, step), excess);
    }
    assertThat(granted).isGreaterThan(20);
    assertThat(refused).isGreaterThan(5);
    end();
  }

  private LocalDate today() {
    return ZONE.day(now);
  }

  private Demand demand(UUID call, LocalDate day, long nanos) {
    List<Budget> some = new ArrayList<>(budgets);
    some.removeIf(it -> it.scope() != Scope.ALL && random.nextInt(3) == 0);
    return new Demand(call, "{\"n\":1}", nanos, day, some);
  }

  private Status reserve(int who) throws Exception {
    Demand demand = demand(UUID.randomUUID(), today(), random.nextInt(200));
    Reply reply = reserve(replicas[who], demand);
    if (reply.status() == Status.GRANTED) {
      calls.put(demand.call(), new Known(demand, who));
    }
    if (!atMost && reply.status() == Status.REFUSED) {
      Budget budget = demand.budgets().get(reply.place());
      long used = reference(budget, demand.day());
      assertThat(used >= budget.limitNanos() || used + demand.nanos() > budget.limitNanos())
          .as("is refused for a reason")
          .isTrue();
    }
    return reply.status();
  }

  /** As a replica does: announces and refreshes where it must, and asks again. */
  private Reply reserve(Replica replica, Demand demand) throws Exception {
    while (true) {
      Reply reply =
          get(
              replica.reservations.reserve(
                  demand, !calls.containsKey(demand.call()), replica.epoch, Set.of()));
      switch (reply.status()) {
        case EPOCH -> announce(replica);
        case GRACE -> now += 1_000;
        case NO_BASE -> refresh(demand.budgets().get(reply.place()), demand.day());
        case DAY -> throw new AssertionError("the test knows the day");
        default -> {
          return reply;
        }
      }
      if (!ZONE.day(now).equals(demand.day()) && !calls.containsKey(demand.call())) {
        return new Reply(Status.DAY, now, -1, List.of());
      }
    }
  }

  private void announce(Replica replica) throws Exception {
    List<RedisLeases.Announced> own = new ArrayList<>();
    calls.forEach(
        (id, it) -> {
          if (replicas[it.owner] == replica && !it.dead) {
            own.add(
                new RedisLeases.Announced(
                    id, !it.confirmed, it.demand.intent(), it.nanos(), counters(it.demand)));
          }
        });
    replica.epoch = get(replica.leases.announce(own));
  }

  private static List<CounterName> counters(Demand demand) {
    return demand.budgets().stream().map(it -> CounterName.of(it, demand.day(), ZONE)).toList();
  }

  private List<Known> some(java.util.function.Predicate<Known> which) {
    List<Known> found = new ArrayList<>(calls.values().stream().filter(which).toList());
    Collections.shuffle(found, random);
    return found;
  }

  private void reserveMore() throws Exception {
    for (Known call : some(it -> it.spent < 0 && !it.dead).stream().limit(1).toList()) {
      Demand more =
          new Demand(
              call.demand.call(),
              call.demand.intent(),
              call.amount + random.nextInt(100),
              call.demand.day(),
              call.demand.budgets());
      if (reserve(replicas[call.owner], more).status() == Status.GRANTED) {
        call.amount = more.nanos();
      }
    }
  }

  /** Returns by how much more was spent than reserved. */
  private long settle() throws Exception {
    long excess = 0;
    for (Known call : some(it -> it.spent < 0 && !it.dead).stream().limit(2).toList()) {
      call.spent = random.nextInt(250);
      excess += Math.max(0, call.spent - call.amount);
      for (int i = 0; i < 1 + random.nextInt(2); i++) {
        get(replicas[call.owner].reservations.settle(call.demand.call(), call.spent));
      }
    }
    return excess;
  }

  private void release() throws Exception {
    for (Known call : some(it -> it.spent < 0 && !it.dead).stream().limit(1).toList()) {
      get(replicas[call.owner].reservations.release(List.of(call.demand.call())));
      calls.remove(call.demand.call());
    }
  }

  private void write() {
    some(it -> it.spent >= 0 && !it.written).stream().limit(5).forEach(it -> it.written = true);
  }

  private void confirm() throws Exception {
    for (int who = 0; who < 2; who++) {
      int owner = who;
      List<Known> done = some(it -> it.owner == owner && it.written && !it.confirmed);
      get(replicas[who].reservations.confirm(done.stream().map(it -> it.demand.call()).toList()));
      done.forEach(it -> it.confirmed = true);
    }
  }

  private void refresh(Budget budget, LocalDate day) throws Exception {
    begin(budget, day);
    end(refreshes.removeLast());
  }

  private void begin(Budget budget, LocalDate day) throws Exception {
    CounterName counter = CounterName.of(budget, day, ZONE);
    long generation = get(bases.begin(counter, Duration.ZERO));
    refreshes.add(new Refresh(budget, counter, generation, ledger(budget, counter).keySet()));
  }

  private Map<UUID, Long> ledger(Budget budget, CounterName counter) {
    Map<UUID, Long> entries = new HashMap<>();
    calls.forEach(
        (id, it) -> {
          if (it.written
              && it.demand.budgets().contains(budget)
              && CounterName.of(budget, it.demand.day(), ZONE).equals(counter)) {
            entries.put(id, it.spent);
          }
        });
    return entries;
  }

  private void beginRefresh() throws Exception {
    if (refreshes.size() < 3) {
      begin(budgets.get(random.nextInt(3)), today());
    }
  }

  private void endRefresh() throws Exception {
    if (!refreshes.isEmpty()) {
      end(refreshes.remove(random.nextInt(refreshes.size())));
    }
  }

  private void end(Refresh refresh) throws Exception {
    List<UUID> contained =
        get(bases.calls(refresh.counter())).stream().filter(refresh.ledger()::contains).toList();
    long nanos =
        refresh.ledger().stream().mapToLong(it -> requireNonNull(calls.get(it)).spent).sum();
    get(bases.set(refresh.counter(), refresh.generation(), nanos, contained));
  }

  private void flush() throws Exception {
    get(redis.send(RedisAsyncCommands::flushdb));
    atMost = true;
    for (Replica each : replicas) {
      announce(each);
    }
    now += GRACE.toMillis();
  }

  /** One replica is gone, another takes its place, and the one that is left recovers its calls. */
  private long die() throws Exception {
    int gone = random.nextInt(2);
    Replica left = replicas[1 - gone];
    Replica fresh = new Replica();
    fresh.epoch = left.epoch;
    calls.values().stream().filter(it -> it.owner == gone).forEach(it -> it.dead = true);
    replicas[gone] = fresh;
    for (int i = 0; i < 4; i++) {
      now += LEASE.dividedBy(3).toMillis();
      get(left.leases.renew());
      get(fresh.leases.renew());
    }
    now += 1;
    long excess = 0;
    List<RedisLeases.Claimed> claimed = get(left.leases.claim(1_000));
    for (RedisLeases.Claimed each : claimed) {
      Known call = requireNonNull(calls.get(each.call()));
      assertThat(call.dead).isTrue();
      assertThat(each.intent()).isEqualTo(call.demand.intent());
      assertThat(each.counters()).isEqualTo(counters(call.demand));
      call.dead = false;
      call.owner = 1 - gone;
      if (call.spent < 0) {
        call.spent = call.amount;
        get(left.reservations.settle(each.call(), call.spent));
      }
    }
    List<Known> lost = some(it -> it.dead && !it.confirmed);
    assertThat(lost).as("every call of the dead replica is recovered").isEmpty();
    calls.values().stream().filter(it -> it.dead).forEach(it -> it.owner = 1 - gone);
    calls.values().forEach(it -> it.dead = false);
    return excess;
  }

  private long reference(Budget budget, LocalDate day) {
    CounterName counter = CounterName.of(budget, day, ZONE);
    return calls.values().stream()
        .filter(it -> it.demand.budgets().contains(budget))
        .filter(it -> CounterName.of(budget, it.demand.day(), ZONE).equals(counter))
        .mapToLong(Known::nanos)
        .sum();
  }

  private void check(String what, long excess) throws Exception {
    for (Budget budget : budgets) {
      CounterName counter = CounterName.of(budget, today(), ZONE);
      Map<String, String> hash =
          get(redis.send(it -> it.hgetall(RedisKeys.PREFIX + "counter:" + counter)));
      Map<String, String> fields =
          get(redis.send(it -> it.hgetall(RedisKeys.PREFIX + "fields:" + counter)));
      long sum = fields.values().stream().mapToLong(Long::parseLong).sum();
      assertThat(Long.parseLong(hash.getOrDefault("sum", "0"))).as(what).isEqualTo(sum);
      if (hash.containsKey("base")) {
        long used = Long.parseLong(hash.get("base")) + sum;
        long expected = reference(budget, today());
        if (atMost) {
          assertThat(used).as(what).isGreaterThanOrEqualTo(expected);
        } else {
          assertThat(used).as(what).isEqualTo(expected);
        }
        assertThat(expected)
            .as("the limit and the calls in flight, " + what)
            .isLessThanOrEqualTo(budget.limitNanos() + excess);
      }
    }
  }

  /** Everything is settled and written: then nothing is left but what the ledger has. */
  private void end() throws Exception {
    while (calls.values().stream().anyMatch(it -> it.spent < 0)) {
      settle();
    }
    calls.values().forEach(it -> it.written = true);
    confirm();
    refreshes.clear();
    for (Budget budget : budgets) {
      for (LocalDate day : calls.values().stream().map(it -> it.demand.day()).distinct().toList()) {
        refresh(budget, day);
        CounterName counter = CounterName.of(budget, day, ZONE);
        Map<String, String> hash =
            get(redis.send(it -> it.hgetall(RedisKeys.PREFIX + "counter:" + counter)));
        assertThat(Long.parseLong(hash.get("base"))).isEqualTo(reference(budget, day));
        assertThat(hash.get("sum")).isEqualTo("0");
      }
    }
    Map<String, Long> left = new TreeMap<>();
    for (String key : get(redis.send(it -> it.keys("*")))) {
      if (!key.contains(":counter:")) {
        left.put(key.substring(RedisKeys.PREFIX.length()), 1L);
      }
    }
    assertThat(left.keySet()).containsExactlyInAnyOrder("epoch", "leases", "since", "uses");
  }
}
