package dev.jarvis.gateway.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.CallRecord;
import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestRedis;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Equal calls over scripted generations. */
@Timeout(30)
class SharedGenerationsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final TargetName TARGET = new TargetName("p", "m");
  private static final Event A = new Event.Text(0, "a", null);
  private static final Event B = new Event.Text(0, "b", null);
  private static final Event STOP = new Event.ChoiceEnd(0, FinishReason.STOP, null);
  private static final Event USAGE = new Event.UsageReport(Usage.counted(7, 2), null);
  private static final Event END = new Event.End(null);

  private final List<LedgerEntry> rows = new CopyOnWriteArrayList<>();
  private final BlockingQueue<Generation> started = new LinkedBlockingQueue<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private Telemetry telemetry;
  private TestRedis testRedis;
  private Redis redis;
  private SharedGenerations generations;

  /** The stages after this one: returns what the test plays, until it is cancelled. */
  private final class Generation implements Answer {
    private final Call call;
    private final BlockingQueue<Object> script = new LinkedBlockingQueue<>();
    private final Attempt attempt;
    private volatile boolean closed;

    Generation(Call call) {
      this.call = call;
      attempt =
          new Attempt(
              telemetry,
              call.question(),
              true,
              new Attempt.Target(TARGET, TARGET.model(), Double.NaN));
      attempt.began();
      call.record().attempt(attempt);
      call.record().routed(new CallRecord.Routed(call.question().model(), TARGET, "only"));
      var _ = Cancellation.current().onCancel(() -> script.add(new CancelledException()));
      started.add(this);
    }

    void play(Object... parts) {
      script.addAll(List.of(parts));
    }

    @Override
    public Head head() {
      return new Head(call.question().model(), TARGET, List.of(), null);
    }

    @Override
    public Event next() {
      Object part;
      try {
        part = script.take();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      if (part instanceof RuntimeException e) {
        attempt.end(e instanceof CancelledException ? Outcome.ABORTED : Outcome.ERROR, e);
        throw e;
      }
      Event event = (Event) part;
      attempt.observe(event);
      if (event instanceof Event.End) {
        attempt.end(Outcome.OK, null);
      }
      return event;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @BeforeEach
  void start() throws Exception {
    telemetry = Recorded.start();
    testRedis = TestRedis.take();
    redis = Stores.redis(testRedis.config(Duration.ofSeconds(10)), Path.of("none"), telemetry);
    generations =
        new SharedGenerations(
            new AnswerCache(redis, telemetry.instruments(), SharedGenerationsTest::policy),
            new Settlement(
                telemetry.instruments(),
                (target, at, usage, compute) -> Optional.empty(),
                model -> model,
                it -> LocalDate.EPOCH,
                rows::add),
            LIMIT);
  }

  @AfterEach
  void close() throws Exception {
    threads.shutdownNow();
    redis.close();
    testRedis.close();
    telemetry.close();
  }

  private static CachePolicy policy(String route) {
    return new CachePolicy(
        route.equals("ours") ? CachePolicy.Scope.SHARED : CachePolicy.Scope.USER,
        Duration.ofMinutes(5));
  }

  private static Call call(String route, String user, String cacheControl) {
    ChatRequest request = new ChatRequest(route, Json.object().put("temperature", 0));
    request.body().putArray("messages").addObject().put("role", "user").put("content", "hi");
    return Call.of(UuidV7.next(), "req", Caller.service(user), request, true, cacheControl);
  }

  private static Call call(String user) {
    return call("ours", user, "");
  }

  private Answer ask(Call call) {
    return generations.handle(call, Generation::new);
  }

  private Generation generation() throws InterruptedException {
    Generation generation = started.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
    assertThat(generation).as("a generation").isNotNull();
    return generation;
  }

  private static List<Event> read(Answer answer) {
    List<Event> events = new ArrayList<>();
    do {
      events.add(answer.next());
    } while (!(events.getLast() instanceof Event.End));
    return events;
  }

  private LedgerEntry row(Call call) {
    return rows.stream().filter(it -> it.id().equals(call.id())).findFirst().orElseThrow();
  }

  private static ApiException broken() {
    return new ApiException.UpstreamFailed("broke", null);
  }

  @Test
  void letsAnEqualCallReadTheGeneration() throws Exception {
    Call leads = call("ann");
    Call follows = call("bob");
    Answer leader = ask(leads);
    Generation generation = generation();
    generation.play(A);
    assertThat(leader.next()).isEqualTo(A);

    Answer follower = ask(follows);
    generation.play(B, STOP, USAGE, END);

    assertThat(read(follower)).containsExactly(A, B, STOP, USAGE, END);
    assertThat(read(leader)).containsExactly(B, STOP, USAGE, END);
    assertThat(leader.head()).isEqualTo(new Head("ours", TARGET, List.of(), "miss"));
    assertThat(follower.head()).isEqualTo(new Head("ours", TARGET, List.of(), "hit"));
    leader.close();
    follower.close();
    assertThat(started).as("further generations").isEmpty();
    assertThat(row(leads).result().outcome()).isEqualTo(Outcome.OK);
    assertThat(row(leads).usage().outputTokens()).isEqualTo(2);
    assertThat(row(follows).result().outcome()).isEqualTo(Outcome.CACHED);
    assertThat(row(follows).usage().outputTokens()).isZero();
    assertThat(row(follows).costUsd()).isZero();
    assertThat(row(follows).result().finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(rows).hasSize(2);
    assertThat(Recorded.value(Metric.LLM_CACHE_REQUESTS, "miss")).hasValue(1L);
    assertThat(Recorded.value(Metric.LLM_CACHE_REQUESTS, "hit")).hasValue(1L);
  }

  @Test
  void givesAFollowerTheWholeAnswerIfTheLeaderLeaves() throws Exception {
    Call leads = call("ann");
    Answer leader = ask(leads);
    Generation generation = generation();
    generation.play(A);
    leader.next();
    Answer follower = ask(call("bob"));

    leader.close();
    generation.play(B, STOP, USAGE, END);

    assertThat(read(follower)).containsExactly(A, B, STOP, USAGE, END);
    assertThat(row(leads).result().outcome())
        .as("the call that the answer was generated for")
        .isEqualTo(Outcome.OK);
    assertThat(generation.closed).isTrue();
  }

  @Test
  void cancelsAGenerationWhenItsLastReaderLeaves() throws Exception {
    Call leads = call("ann");
    Call follows = call("bob");
    Answer leader = ask(leads);
    Generation generation = generation();
    generation.play(A);
    leader.next();
    Answer follower = ask(follows);
    follower.next();

    follower.close();
    assertThat(follows.record().outcome()).isEqualTo(Outcome.ABORTED);
    assertThat(leads.record().outcome()).isNull();

    leader.close();
    await().atMost(LIMIT).until(() -> leads.record().outcome() == Outcome.ABORTED);
    assertThat(generation.closed).isTrue();
    assertThat(rows).extracting(it -> it.result().outcome()).containsExactly(Outcome.ABORTED);
  }

  @Test
  void endsTheWaitOfAFollowerWhoseClientLeaves() throws Exception {
    Answer leader = ask(call("ann"));
    Generation generation = generation();
    Cancellation client = new Cancellation();
    Answer follower = client.call(() -> ask(call("bob")));
    Future<Event> next = threads.submit(follower::next);

    client.cancel();

    assertThat(next).failsWithin(LIMIT);
    follower.close();
    generation.play(A, STOP, END);
    assertThat(read(leader)).containsExactly(A, STOP, END);
  }

  @Test
  void generatesAgainForAFollowerIfTheGenerationFailsBeforeItsFirstEvent() throws Exception {
    Call follows = call("bob");
    Answer leader = ask(call("ann"));
    Generation first = generation();
    Answer follower = ask(follows);
    Future<List<Event>> read = threads.submit(() -> read(follower));

    first.play(broken());
    assertThatThrownBy(leader::next).isInstanceOf(ApiException.UpstreamFailed.class);
    Generation second = generation();
    assertThat(second.call).isSameAs(follows);
    second.play(A, STOP, USAGE, END);

    assertThat(read.get()).containsExactly(A, STOP, USAGE, END);
    follower.close();
    assertThat(row(follows).result().outcome())
        .as("the call that the answer was generated for")
        .isEqualTo(Outcome.OK);
    assertThat(row(follows).usage().outputTokens()).isEqualTo(2);
    assertThat(rows).hasSize(2);
  }

  @Test
  void reportsTheSecondFailureToAFollower() throws Exception {
    Call follows = call("bob");
    Answer leader = ask(call("ann"));
    Generation first = generation();
    Answer follower = ask(follows);
    Future<Event> next = threads.submit(follower::next);

    first.play(broken());
    generation().play(broken());

    assertThat(next)
        .failsWithin(LIMIT)
        .withThrowableOfType(Exception.class)
        .withCauseInstanceOf(ApiException.UpstreamFailed.class);
    assertThat(started).as("further generations").isEmpty();
    assertThat(row(follows).result().outcome()).isEqualTo(Outcome.ERROR);
    leader.close();
    follower.close();
  }

  @Test
  void reportsAFailureAfterTheFirstEventToAllReaders() throws Exception {
    Call follows = call("bob");
    Answer leader = ask(call("ann"));
    Generation generation = generation();
    generation.play(A);
    Answer follower = ask(follows);
    assertThat(follower.next()).isEqualTo(A);
    assertThat(leader.next()).isEqualTo(A);

    generation.play(broken());

    assertThatThrownBy(leader::next).isInstanceOf(ApiException.UpstreamFailed.class);
    assertThatThrownBy(follower::next).isInstanceOf(ApiException.UpstreamFailed.class);
    follower.close();
    assertThat(follows.record().outcome()).isEqualTo(Outcome.ERROR);
    assertThat(rows).as("ledger entries, none for the follower").hasSize(1);
    assertThat(started).isEmpty();
  }

  @Test
  void cachesACompleteAnswer() throws Exception {
    Answer leader = ask(call("ann"));
    generation().play(A, B, STOP, USAGE, END);
    read(leader);
    leader.close();

    Call later = call("bob");
    Answer again = ask(later);

    assertThat(again.head()).isEqualTo(new Head("ours", TARGET, List.of(), "hit"));
    assertThat(read(again)).containsExactly(new Event.Text(0, "ab", null), STOP, USAGE, END);
    assertThat(row(later).result().outcome()).isEqualTo(Outcome.CACHED);
    assertThat(started).isEmpty();
  }

  @Test
  void doesNotCacheAFailedAnswer() throws Exception {
    Answer failed = ask(call("ann"));
    generation().play(A, STOP, broken());
    failed.next();
    failed.next();
    assertThatThrownBy(failed::next).isInstanceOf(ApiException.UpstreamFailed.class);
    failed.close();

    Answer next = ask(call("ann"));
    generation().play(A, STOP, END);
    assertThat(read(next)).containsExactly(A, STOP, END);
    assertThat(next.head().cache()).isEqualTo("miss");
  }

  @Test
  void doesNotCacheAnIncompleteAnswer() throws Exception {
    Event filtered = new Event.ChoiceEnd(0, new FinishReason("content_filter"), null);
    for (Event end : List.of(filtered, new Event.ChoiceEnd(1, FinishReason.STOP, null))) {
      Answer answer = ask(call("ann"));
      generation().play(A, end, END);
      assertThat(read(answer)).containsExactly(A, end, END);
      answer.close();
    }

    ask(call("ann"));
    assertThat(generation()).isNotNull();
  }

  @Test
  void doesNotShareAnswersBetweenUsersUnlessTheRouteDoes() throws Exception {
    Answer ann = ask(call("mine", "ann", ""));
    Generation ofAnn = generation();
    Answer bob = ask(call("mine", "bob", ""));
    Generation ofBob = generation();
    Answer annAgain = ask(call("mine", "ann", ""));

    ofAnn.play(A, STOP, END);
    ofBob.play(B, STOP, END);

    assertThat(read(ann)).containsExactly(A, STOP, END);
    assertThat(read(bob)).containsExactly(B, STOP, END);
    assertThat(read(annAgain)).containsExactly(A, STOP, END);
    assertThat(read(ask(call("mine", "bob", "")))).as("cached").containsExactly(B, STOP, END);
    assertThat(started).isEmpty();
  }

  @Test
  void doesNotShareAGenerationWithNoCache() throws Exception {
    Answer leader = ask(call("ann"));
    Generation first = generation();
    Answer fresh = ask(call("ours", "bob", "no-cache"));
    Generation second = generation();

    second.play(B, STOP, END);
    first.play(A, STOP, END);

    assertThat(read(fresh)).containsExactly(B, STOP, END);
    assertThat(read(leader)).containsExactly(A, STOP, END);
    assertThat(fresh.head().cache()).isEqualTo("miss");
  }

  @Test
  void neitherSharesNorCachesWithNoStore() throws Exception {
    Answer secret = ask(call("ours", "ann", "no-store"));
    generation().play(A, STOP, END);
    assertThat(read(secret)).containsExactly(A, STOP, END);
    assertThat(secret.head().cache()).isEqualTo("bypass");

    ask(call("ann"));
    assertThat(generation()).isNotNull();
  }

  @Test
  void settlesAFollowerThatLeftWithItsOwnGeneration() throws Exception {
    Call asksItself = call("bob");
    Answer leader = ask(call("ann"));
    Generation first = generation();
    Answer bob = ask(asksItself);
    Future<Event> next = threads.submit(bob::next);
    first.play(broken());
    Generation second = generation();
    second.play(A);
    assertThat(next.get()).isEqualTo(A);
    Answer carol = ask(call("carol"));

    bob.close();
    second.play(B, STOP, USAGE, END);

    assertThat(read(carol)).containsExactly(A, B, STOP, USAGE, END);
    assertThat(row(asksItself).result().outcome()).isEqualTo(Outcome.OK);
    assertThat(row(asksItself).usage().outputTokens()).isEqualTo(2);
    leader.close();
  }

  @Test
  void reportsAMissToAFollowerWithItsOwnGeneration() throws Exception {
    Answer leader = ask(call("ann"));
    Generation first = generation();
    Answer follower = ask(call("bob"));
    Future<Head> head = threads.submit(follower::head);

    first.play(broken());
    generation().play(A);

    assertThat(head.get().cache()).isEqualTo("miss");
    leader.close();
    follower.close();
  }
}
