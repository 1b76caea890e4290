package dev.jarvis.budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.budget.Budget.Period;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.config.Configs;
import dev.jarvis.error.ApiException.BudgetExceeded;
import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.LocalRedis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Telemetry;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two replicas, a Redis of the test's own that fails in every way, and a clock that the test moves.
 * Each call reserves a cent, and the budget of all calls is ten.
 */
@Timeout(120)
class BudgetsOutageTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final BigDecimal CENT = new BigDecimal("0.01");
  private static final long NANOS = Nanos.of(CENT);
  private static final TargetName TARGET = new TargetName("ollama", "fake:1b");

  @TempDir Path home;
  private Telemetry telemetry;
  private LocalRedis server;
  private Redis redis;
  private TestDatabase tables;
  private Database database;
  private final AtomicLong now = new AtomicLong(System.currentTimeMillis());
  private final List<LedgerEntry> recovered = new ArrayList<>();
  private boolean spoolIsComplete = true;
  private Replica first;
  private Replica second;

  /** One replica, whose upkeep takes place when the test says so. */
  private final class Replica {
    final Budgets budgets;
    final Upkeep upkeep;
    final List<OpenCall> open = new ArrayList<>();

    Replica(String name) {
      budgets =
          new Budgets(
              Configs.of(BudgetConfig.class, Map.of("blind-for", "10m")),
              new Budgets.Replicas(name, 2, Duration.ofMillis(250)),
              redis,
              database,
              telemetry.instruments(),
              Budgets.Timing.DEFAULT,
              new Budgets.Clocks(() -> Long.toString(now.get()), now::get));
      upkeep =
          budgets.upkeep(
              (target, at, usage, compute) -> Optional.of(new Cost(CENT, null, "p/m@1")),
              recovered::add,
              new Leftovers.Spool(id -> false, spoolIsComplete));
    }

    /** How many of some calls are granted. */
    int granted(int tries) {
      int granted = 0;
      for (int i = 0; i < tries; i++) {
        try {
          open.add(reserve());
          granted++;
        } catch (BudgetExceeded e) {
          assertThat(e.code()).isEqualTo("insufficient_quota");
        }
      }
      return granted;
    }

    OpenCall reserve() {
      UUID id = UuidV7.next();
      return budgets
          .reservations()
          .reserve(
              day ->
                  new Demand(
                      id,
                      Reserve.text(
                          new Intent(
                              id,
                              day,
                              new Origin("ann", null, null, null, null, "r", "0".repeat(32)),
                              new Asked(Operation.CHAT, "fake:1b", false),
                              TARGET,
                              Usage.counted(1, 5),
                              Duration.ofSeconds(1))),
                      NANOS,
                      day,
                      budgets.book().of(new Origin("ann", null, null, null, null, "r", ""))));
    }

    /** All its calls end; the ledger has them. */
    void settle(int number) throws Exception {
      for (OpenCall call : List.copyOf(open.subList(0, number))) {
        budgets.reservations().settle(call, NANOS);
        write(call.demand().call(), call.demand().day().toString());
        budgets.confirmed(List.of(call.demand().call()));
        open.remove(call);
      }
    }
  }

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    server = LocalRedis.start(home.resolve("redis"));
    redis = Stores.redis(TestRedis.config(server, Duration.ofSeconds(1)), home, telemetry);
    tables = TestDatabase.create();
    database = Stores.database(tables.config(4, Duration.ofSeconds(5)), home, telemetry);
    var _ =
        database.execute(
            BudgetStore.insert(
                UuidV7.next(), Scope.ALL, "", Period.DAY, new BigDecimal("0.1"), true));
    await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);
    first = new Replica("first");
    second = new Replica("second");
    rounds(4);
  }

  @AfterEach
  void stop() throws Exception {
    first.budgets.close();
    second.budgets.close();
    redis.close();
    server.close();
    database.close();
    tables.close();
    telemetry.close();
  }

  /** Renewals of both replicas, five seconds from each other. */
  private void rounds(int number) {
    for (int i = 0; i < number; i++) {
      now.addAndGet(5_000);
      first.upkeep.round();
      second.upkeep.round();
    }
  }

  private void write(UUID call, String day) throws Exception {
    tables.execute(
        """
        INSERT INTO ledger_entries (id, created_at, rank, day, user_id, request_id, trace_id, operation, provider, model, outcome,
          streamed, attempts, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd, duration_ms)
        VALUES ('%s', '%s', 3, '%s', 'ann', 'r', 't', 'chat', 'ollama', 'fake:1b', 'ok', false, 1, 1, 0, 5, 0, false, 0.01, 1)"""
            .formatted(call, UuidV7.time(call), day));
  }

  /** Where a replica reserves after its next upkeep. */
  private static String state(Replica replica) {
    replica.upkeep.round();
    return replica.budgets.state();
  }

  private void signal(String signal) throws Exception {
    Process kill = new ProcessBuilder("kill", signal, Long.toString(server.pid())).start();
    assertThat(kill.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  /** The calls that are registered in Redis, and the amounts that the ledger does not have yet. */
  private List<String> left() throws Exception {
    List<String> left = new ArrayList<>();
    for (String key : get(redis.send(it -> it.keys("*")))) {
      if (key.contains(":owned:") || key.contains(":fields:") || key.endsWith(":intents")) {
        left.add(key);
      }
    }
    return left;
  }

  private void settleEverything() throws Exception {
    first.settle(first.open.size());
    second.settle(second.open.size());
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              rounds(1);
              assertThat(left()).isEmpty();
            });
    assertThat(tables.rows("SELECT * FROM budget_holds")).isEmpty();
  }

  @Test
  void bothReplicasShareOneBudget() throws Exception {
    assertThat(first.granted(4)).isEqualTo(4);
    assertThat(second.granted(20)).isEqualTo(6);
    assertThat(first.granted(1)).isZero();
    first.budgets.reservations().release(first.open.removeFirst());
    assertThat(second.granted(2)).as("what one gives back, the other gets").isEqualTo(1);
    settleEverything();
    assertThat(first.granted(1)).as("the ledger has ten").isZero();
  }

  @Test
  void aStoppedRedisLeavesSharesUntilPostgresqlCounts() throws Exception {
    assertThat(first.granted(2)).isEqualTo(2);
    assertThat(second.granted(2)).isEqualTo(2);
    server.close();

    assertThat(first.granted(20)).as("half of the eight that it knows are left").isEqualTo(4);
    assertThat(second.granted(20)).as("half of the six").isEqualTo(3);
    rounds(3);
    assertThat(first.granted(1)).as("eleven are reserved").isZero();
    first.budgets.reservations().release(first.open.removeFirst());
    first.budgets.reservations().release(first.open.removeFirst());
    rounds(1);
    first.settle(first.open.size());
    second.settle(second.open.size());
    assertThat(second.granted(5)).isEqualTo(1);
    second.settle(1);
    assertThat(second.granted(5)).isZero();
    assertThat(tables.rows("SELECT * FROM budget_holds")).isEmpty();
  }

  @Test
  void inPostgresqlReplicasShareOneBudget() throws Exception {
    server.close();
    first.granted(3);
    second.granted(1);
    rounds(3);
    assertThat(second.granted(20)).isEqualTo(6);
    assertThat(first.granted(1)).isZero();
    first.settle(3);
    second.settle(7);
    assertThat(first.granted(1)).isZero();
    assertThat(tables.rows("SELECT * FROM budget_holds")).isEmpty();
  }

  @Test
  void withoutRedisAndPostgresqlSharesEndAfterAWhile() throws Exception {
    assertThat(first.granted(2)).isEqualTo(2);
    server.close();
    database.close();

    assertThat(first.granted(20)).isEqualTo(4);
    first.budgets.reservations().release(first.open.removeLast());
    assertThat(first.granted(20)).isEqualTo(1);
    first.budgets.reservations().release(first.open.removeLast());
    now.addAndGet(Duration.ofMinutes(11).toMillis());
    assertThatThrownBy(first::reserve)
        .isInstanceOfSatisfying(
            BudgetExceeded.class, it -> assertThat(it.code()).isEqualTo("budget_unknown"));
  }

  @Test
  void aFrozenRedisLeavesNothingReservedWhenItIsBack() throws Exception {
    assertThat(first.granted(2)).isEqualTo(2);
    signal("-STOP");
    try {
      assertThat(first.granted(20)).isEqualTo(4);
    } finally {
      signal("-CONT");
    }
    await().atMost(LIMIT).until(() -> state(first).equals("redis"));
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              rounds(1);
              assertThat(second.granted(20)).isEqualTo(4);
            });
    settleEverything();
  }

  @Test
  void afterAFlushOpenCallsAreKnownBeforeOthersReserve() throws Exception {
    assertThat(first.granted(5)).isEqualTo(5);
    first.settle(2);
    get(redis.send(RedisAsyncCommands::flushall));

    assertThat(second.granted(20)).as("a share of what it knows").isLessThanOrEqualTo(5);
    second.open.forEach(second.budgets.reservations()::release);
    second.open.clear();
    rounds(3);
    assertThat(second.granted(20)).isEqualTo(5);
    settleEverything();
  }

  @Test
  void aRestartedRedisKnowsWhatItStored() throws Exception {
    assertThat(first.granted(5)).isEqualTo(5);
    int port = server.uri().getPort();
    server.close();
    server = LocalRedis.start(home.resolve("redis"), port, server.password());
    await().atMost(LIMIT).ignoreExceptions().untilAsserted(redis::check);
    rounds(1);

    assertThat(second.granted(20)).isEqualTo(5);
    settleEverything();
  }

  @Test
  void aFullRedisIsAway() throws Exception {
    assertThat(first.granted(2)).isEqualTo(2);
    get(redis.send(it -> it.configSet("maxmemory", "1")));
    rounds(4);
    assertThat(second.granted(20)).as("in PostgreSQL").isEqualTo(8);
    first.settle(2);
    get(redis.send(it -> it.configSet("maxmemory", "0")));

    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              rounds(1);
              assertThat(first.granted(1)).isZero();
            });
    settleEverything();
  }

  @Test
  void theCallsOfAReplicaThatIsGoneAreSettledByAnEstimate() throws Exception {
    assertThat(first.granted(3)).isEqualTo(3);
    for (int i = 0; i < 5; i++) {
      now.addAndGet(5_000);
      second.upkeep.round();
    }
    assertThat(recovered).hasSize(3);
    assertThat(recovered)
        .allSatisfy(
            it -> {
              assertThat(it.rank()).isEqualTo(Rank.RECOVERED);
              assertThat(it.costUsd()).isEqualByComparingTo(CENT);
              assertThat(it.usage().estimated()).isTrue();
            });
    for (LedgerEntry each : recovered) {
      write(each.id(), each.day().toString());
      second.budgets.confirmed(List.of(each.id()));
    }
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              now.addAndGet(5_000);
              second.upkeep.round();
              assertThat(left()).isEmpty();
            });
    assertThat(second.granted(20)).isEqualTo(7);
  }

  @Test
  void afterAFreezeNobodyTakesTheCallsOfOthers() throws Exception {
    assertThat(first.granted(3)).isEqualTo(3);
    now.addAndGet(60_000);
    second.upkeep.round();
    first.upkeep.round();
    rounds(4);
    assertThat(recovered).isEmpty();
  }

  @Test
  void whatAProcessReservedBeforeItWasKilledIsGivenBackByItsSuccessor() throws Exception {
    assertThat(first.granted(3)).isEqualTo(3);
    first.budgets.close();
    first = new Replica("first");
    assertThat(second.granted(20)).isEqualTo(7);

    first.upkeep.round();
    await().atMost(LIMIT).until(() -> second.granted(1) == 1);
  }

  @Test
  void withADamagedSpoolItsSuccessorSettlesThemByAnEstimate() throws Exception {
    assertThat(first.granted(3)).isEqualTo(3);
    first.budgets.close();
    spoolIsComplete = false;
    first = new Replica("first");

    first.upkeep.round();
    assertThat(recovered).hasSize(3);
    assertThat(second.granted(20)).isEqualTo(7);
  }

  @Test
  void theHoldsOfAReplicaThatIsGoneAreSettledByAnEstimate() throws Exception {
    get(redis.send(it -> it.configSet("maxmemory", "1")));
    rounds(4);
    assertThat(first.granted(3)).isEqualTo(3);
    get(redis.send(it -> it.configSet("maxmemory", "0")));
    get(redis.send(it -> it.zrem(RedisKeys.PREFIX + "leases", "first")));
    tables.execute("UPDATE budget_holds SET held_at = now() - interval '2 minutes'");
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              now.addAndGet(5_000);
              second.upkeep.round();
              assertThat(recovered).hasSize(3);
            });
  }

  @Test
  void claimedCallsWhoseClaimWasNotAnsweredAreSettledAndNotReleased() throws Exception {
    assertThat(first.granted(3)).isEqualTo(3);
    RedisLeases leases =
        new RedisLeases(
            new RedisKeys(redis, () -> Long.toString(now.get())), "second", Duration.ofSeconds(15));
    for (int i = 0; i < 4; i++) {
      now.addAndGet(5_000);
      get(leases.renew());
    }
    assertThat(get(leases.claim(100))).as("an answer that gets lost").hasSize(3);

    await()
        .atMost(LIMIT)
        .untilAsserted(
            () -> {
              now.addAndGet(5_000);
              second.upkeep.round();
              assertThat(recovered).hasSize(3);
            });
    assertThat(second.granted(20)).isEqualTo(7);
  }

  @Test
  void afterAFlushAShareIsOfWhatWasKnownBefore() throws Exception {
    assertThat(first.granted(5)).isEqualTo(5);
    assertThat(second.granted(1)).isEqualTo(1);
    get(redis.send(RedisAsyncCommands::flushall));

    assertThat(second.granted(20)).as("half of the four that are left").isEqualTo(2);
    second.upkeep.round();
    assertThat(second.granted(20)).as("a base without the calls of others").isZero();
    rounds(3);
    assertThat(second.granted(20)).isEqualTo(2);
    settleEverything();
  }

  @Test
  void afterAFlushNobodyTakesTheHoldsOfOthers() throws Exception {
    get(redis.send(it -> it.configSet("maxmemory", "1")));
    rounds(4);
    assertThat(first.granted(3)).isEqualTo(3);
    get(redis.send(it -> it.configSet("maxmemory", "0")));
    await().atMost(LIMIT).until(() -> state(first).equals("redis"));
    await().atMost(LIMIT).until(() -> state(second).equals("redis"));
    rounds(14);
    tables.execute("UPDATE budget_holds SET held_at = now() - interval '2 minutes'");
    get(redis.send(RedisAsyncCommands::flushall));

    second.upkeep.round();
    first.upkeep.round();
    assertThat(recovered).isEmpty();
    settleEverything();
  }

  @Test
  @Timeout(80)
  void aFrozenPostgresqlIsNotAskedByEachCall() throws Exception {
    assertThat(first.granted(1)).isEqualTo(1);
    Replica third = new Replica("third");
    third.upkeep.round();
    try (Connection lock = tables.connect();
        Statement statement = lock.createStatement()) {
      lock.setAutoCommit(false);
      statement.execute("LOCK TABLE ledger_totals IN ACCESS EXCLUSIVE MODE");
      assertThat(third.granted(30)).isEqualTo(9);
    } finally {
      third.budgets.close();
    }
  }

  @Test
  void aCallStaysInThePeriodInWhichItBegan() throws Exception {
    long midnight =
        Math.ceilDiv(now.get(), Duration.ofDays(1).toMillis()) * Duration.ofDays(1).toMillis();
    now.set(midnight - 1);
    first.upkeep.round();
    second.upkeep.round();
    assertThat(first.granted(20)).isEqualTo(10);
    now.set(midnight);
    assertThat(second.granted(20)).as("a new day").isEqualTo(10);

    OpenCall late = first.open.getFirst();
    assertThatThrownBy(
            () -> first.budgets.reservations().reserveMore(late, late.demand().intent(), 2 * NANOS))
        .as("yesterday's budget is used up")
        .isInstanceOf(BudgetExceeded.class);
    settleEverything();
  }
}
