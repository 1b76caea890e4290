package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.gateway.cache.AnswerCache;
import dev.jarvis.gateway.cache.CachePolicy;
import dev.jarvis.gateway.cache.SharedGenerations;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One call over the two providers of a route, from its attempts to its ledger rows. */
@Timeout(60)
class AttemptTargetsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final int QUESTION_TOKENS = 5;
  private static final int MOST_EVENTS = 20;
  private static final Event TEXT = new Event.Text(0, "x", null);
  private static final Event STOP = new Event.ChoiceEnd(0, FinishReason.STOP, null);
  private static final Event USAGE = new Event.UsageReport(new Usage(4, 3, 2, 1, false), null);
  private static final Event END = new Event.End(null);
  private static final float[] VECTOR = {1, 2};

  /** What happened, in its order. */
  private final List<String> log = new CopyOnWriteArrayList<>();

  private final List<LedgerEntry> rows = new CopyOnWriteArrayList<>();
  private final Telemetry telemetry = Recorded.start();
  private final Stub first = new Stub("first");
  private final Stub second = new Stub("second");
  private final Catalogue models = new Catalogue(List.of(first, second), Duration.ofDays(1));
  private Runnable onceSecondIsConsidered = () -> {};
  private final Router router =
      new Router(
          models,
          List.of(
              new Route(
                  "r",
                  Strategy.PRIORITY,
                  List.of(
                      new Route.Target("first", "m", 1, 1), new Route.Target("second", "m", 1, 2)),
                  CachePolicy.NONE)),
          this::price);
  private Redis redis;

  /** How a provider answers; by default with one piece. */
  private interface Script {
    EventSource answer() throws ProviderException;
  }

  private final class Stub implements Provider {
    private final String name;
    private volatile Script script;
    private volatile boolean streams = true;
    private volatile UnsupportedFields unsupported = UnsupportedFields.NONE;

    Stub(String name) {
      this.name = name;
      script = () -> new Played(name, TEXT, STOP, USAGE, END);
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public List<String> models() {
      return List.of("m");
    }

    @Override
    public EventSource chat(ProviderRequest ask) throws ProviderException {
      log.add(name + " asked");
      return script.answer();
    }

    @Override
    public boolean streams(boolean wanted) {
      return streams;
    }

    @Override
    public UnsupportedFields unsupported(ChatRequest request) {
      return unsupported;
    }

    @Override
    public Embeddings embed(EmbeddingRequest request, String label) {
      log.add(name + " asked as " + label);
      return new Embeddings(List.of(VECTOR), Usage.counted(6, 0), null);
    }

    @Override
    public UnsupportedFields unsupported(EmbeddingRequest request) {
      return UnsupportedFields.NONE;
    }

    @Override
    public void close() {}
  }

  /** An answer that, if it has no end, waits until nobody waits for it any more. */
  private final class Played implements EventSource {
    private final String name;
    private final Iterator<Event> events;
    private final Cancellation scope = Cancellation.current();
    private final @Nullable ProviderException failure;
    private boolean closed;

    Played(String name, Event... events) {
      this(name, null, events);
    }

    Played(String name, @Nullable ProviderException failure, Event... events) {
      this.name = name;
      this.failure = failure;
      this.events = Arrays.asList(events).iterator();
    }

    @Override
    public Event next() throws ProviderException {
      if (events.hasNext()) {
        return events.next();
      }
      if (failure != null) {
        throw failure;
      }
      if (scope.await(LIMIT)) {
        throw new CancelledException();
      }
      throw new AssertionError("nobody cancelled the answer");
    }

    @Override
    public void close() {
      if (!closed) {
        log.add(name + " closed");
      }
      closed = true;
    }
  }

  @BeforeEach
  void start() throws IOException {
    redis = // away, and never asked: no route has a cache
        Stores.redis(
            new RedisConfig("redis://127.0.0.1:1", null, Duration.ofSeconds(1)),
            Path.of("none"),
            telemetry);
  }

  @AfterEach
  void close() throws IOException {
    models.close();
    redis.close();
    telemetry.close();
  }

  /** The last thing of a decision that asks for the price of its second target. */
  private double price(Catalogue.Target target) {
    if (target.provider().name().equals("second")) {
      onceSecondIsConsidered.run();
    }
    return Double.NaN;
  }

  private Call call(boolean streamed) {
    ChatRequest request = Chats.request("r", "a question of 20 chr");
    request.body().put("max_tokens", 1000);
    return Call.of(UuidV7.next(), "req-1", "ann", "bob", request, streamed, "");
  }

  private Answer run(Call call) {
    return run(call, Duration.ofMinutes(1));
  }

  private Answer run(Call call, Duration longest) {
    Settlement settlement =
        new Settlement(
            telemetry.instruments(),
            AttemptTargetsTest::cost,
            models::label,
            use -> {
              log.add("settled");
              rows.add(use);
            });
    SharedGenerations flights =
        new SharedGenerations(
            new AnswerCache(redis, telemetry.instruments(), name -> CachePolicy.NONE),
            settlement,
            LIMIT);
    return new Pipeline(
            List.of(flights, new AttemptTargets(router, models, telemetry, longest)), settlement)
        .run(call);
  }

  /** A dollar for each token. */
  private static Optional<Cost> cost(TargetName target, Instant at, Usage usage, Duration compute) {
    return Optional.of(
        new Cost(BigDecimal.valueOf(usage.inputTokens() + usage.outputTokens()), null));
  }

  /** Reads to the end. */
  private static List<Event> read(Answer answer) {
    List<Event> events = new ArrayList<>();
    try (answer) {
      do {
        events.add(answer.next());
        assertThat(events).as("an answer ends").hasSizeLessThan(MOST_EVENTS);
      } while (!(events.getLast() instanceof Event.End));
    }
    return events;
  }

  private List<Event> readStream() {
    return read(run(call(true)));
  }

  private Catalogue.Target at(Stub provider) {
    return new Catalogue.Target(provider, "m");
  }

  private void fail(Stub provider, int times) {
    for (int i = 0; i < times; i++) {
      router.lease(at(provider)).end(true);
    }
  }

  /** Leaves while the call waits for what does not come. */
  private void abort(Call call) {
    Answer answer = run(call);
    await().atMost(LIMIT).until(() -> log.contains("first asked"));
    answer.close();
    await().atMost(LIMIT).until(() -> call.record().outcome() != null);
  }

  private static Optional<Long> requests(String provider, String outcome) {
    return Recorded.value(Metric.LLM_REQUESTS, "m", provider, outcome);
  }

  private static Optional<Long> tokens(String provider, String type) {
    return Recorded.value(Metric.LLM_TOKENS, "m", provider, type);
  }

  private static ProviderException down() {
    return new ProviderException.Unavailable("down", null);
  }

  private static ProviderException broken() {
    return new ProviderException.Unavailable("broke off", null, true);
  }

  @Test
  void anAnswerHasItsHeadItsEventsAndItsRow() {
    Call call = call(true);
    Answer answer = run(call);

    assertThat(answer.head().target()).isEqualTo(new TargetName("first", "m"));
    assertThat(answer.head().route()).isEqualTo("r");
    assertThat(answer.head().cache()).isNull();
    assertThat(read(answer)).containsExactly(TEXT, STOP, USAGE, END);

    LedgerEntry row = rows.getFirst();
    assertThat(rows).hasSize(1);
    assertThat(row.id()).isEqualTo(call.id());
    assertThat(row.callId()).isEqualTo(call.id());
    assertThat(row.attempt()).isEqualTo(1);
    assertThat(row.userId()).isEqualTo("ann");
    assertThat(row.endUser()).isEqualTo("bob");
    assertThat(row.requestId()).isEqualTo("req-1");
    assertThat(row.traceId()).isEqualTo(Recorded.spans("chat m").getFirst().getTraceId());
    assertThat(row.operation()).isEqualTo("chat");
    assertThat(row.model()).isEqualTo("m");
    assertThat(row.provider()).isEqualTo("first");
    assertThat(row.outcome()).isEqualTo("ok");
    assertThat(row.inputTokens()).isEqualTo(4);
    assertThat(row.cachedInputTokens()).isEqualTo(3);
    assertThat(row.outputTokens()).isEqualTo(2);
    assertThat(row.reasoningTokens()).isEqualTo(1);
    assertThat(row.estimated()).isFalse();
    assertThat(row.costUsd()).isEqualByComparingTo("10");
    assertThat(row.streamed()).isTrue();
    assertThat(row.timeToFirstToken()).isNotNull();
    assertThat(row.finishReason()).isEqualTo("stop");
    assertThat(call.record().outcome()).isEqualTo(Outcome.OK);
    assertThat(requests("first", "ok")).hasValue(1L);
    assertThat(tokens("first", "input")).hasValue(4L);
    assertThat(tokens("first", "cached_input")).hasValue(3L);
    assertThat(tokens("first", "output")).hasValue(2L);
    assertThat(tokens("first", "reasoning")).hasValue(1L);
  }

  @Test
  void anAnswerIsSettledBeforeItsEndIsRead() {
    Answer answer = run(call(true));
    while (!(answer.next() instanceof Event.End)) {
      assertThat(log).hasSizeLessThan(MOST_EVENTS);
    }

    assertThat(log).containsExactly("first asked", "first closed", "settled");
    answer.close();
    assertThat(log).hasSize(3);
  }

  @Test
  void aTargetThatWorkedAndFailedHasARowOfItsOwn() {
    long[] failedAt = new long[1];
    first.script =
        () -> {
          long begun = System.nanoTime();
          while (System.nanoTime() - begun < Duration.ofMillis(20).toNanos()) {
            Thread.onSpinWait(); // so that its duration cannot be taken for the other's
          }
          failedAt[0] = System.nanoTime();
          throw broken();
        };
    Call call = call(true);

    assertThat(read(run(call))).containsExactly(TEXT, STOP, USAGE, END);
    Duration sinceFailure = Duration.ofNanos(System.nanoTime() - failedAt[0]);

    assertThat(rows)
        .extracting(
            LedgerEntry::provider, LedgerEntry::outcome, LedgerEntry::attempt, LedgerEntry::callId)
        .containsExactly(
            tuple("first", "error", 1, call.id()), tuple("second", "ok", 2, call.id()));
    LedgerEntry failed = rows.getFirst();
    LedgerEntry answered = rows.getLast();
    assertThat(failed.id()).isNotEqualTo(call.id());
    assertThat(answered.id()).isEqualTo(call.id());
    assertThat(failed.inputTokens()).as("an estimate of the question").isEqualTo(QUESTION_TOKENS);
    assertThat(failed.outputTokens()).isZero();
    assertThat(failed.estimated()).isTrue();
    assertThat(failed.costUsd()).isEqualByComparingTo("5");
    assertThat(failed.duration()).isGreaterThanOrEqualTo(Duration.ofMillis(20));
    assertThat(failed.timeToFirstToken()).isNull();
    assertThat(failed.finishReason()).isNull();
    assertThat(answered.costUsd()).isEqualByComparingTo("10");
    assertThat(answered.duration()).isLessThanOrEqualTo(sinceFailure);
    assertThat(answered.timeToFirstToken()).isLessThanOrEqualTo(sinceFailure);
    assertThat(requests("second", "ok")).hasValue(1L);
    assertThat(requests("first", "error")).as("the call is counted once").isEmpty();
    assertThat(tokens("first", "input")).hasValue((long) QUESTION_TOKENS);
    assertThat(tokens("second", "input")).hasValue(4L);
    assertThat(Recorded.value(Metric.LLM_FALLBACKS, "m", "first", "unavailable")).hasValue(1L);
    assertThat(call.record().outcome()).isEqualTo(Outcome.OK);
  }

  @Test
  void tokensThatTheServerDoesNotCountAreReportedAsAnEstimate() {
    first.script = () -> new Played("first", TEXT, TEXT, STOP, END);

    assertThat(readStream())
        .containsExactly(
            TEXT,
            TEXT,
            STOP,
            new Event.UsageReport(new Usage(QUESTION_TOKENS, 0, 2, 0, true), null),
            END);
    assertThat(rows)
        .extracting(LedgerEntry::inputTokens, LedgerEntry::outputTokens, LedgerEntry::estimated)
        .containsExactly(tuple(QUESTION_TOKENS, 2, true));
  }

  @Test
  void eachAttemptHasASpanOfItsOwn() {
    first.script = () -> new Played("first", broken(), new Event.Text(0, "", null));

    readStream();

    assertThat(Recorded.spans("chat m"))
        .extracting(it -> it.getAttributes().get(AttributeKey.stringKey("gen_ai.provider.name")))
        .containsExactlyInAnyOrder("first", "second");
    assertThat(outcome(span("first"))).isEqualTo("error");
    assertThat(span("first").getAttributes().get(AttributeKey.stringKey("error.type")))
        .isEqualTo("Unavailable");
    assertThat(outcome(span("second"))).isEqualTo("ok");
    assertThat(span("first").getEndEpochNanos())
        .as("it ends when its attempt did")
        .isLessThanOrEqualTo(span("second").getEndEpochNanos());
    assertThat(log).startsWith("first asked", "first closed", "second asked");
  }

  private static SpanData span(String provider) {
    AttributeKey<String> name = AttributeKey.stringKey("gen_ai.provider.name");
    return Recorded.spans("chat m").stream()
        .filter(it -> provider.equals(it.getAttributes().get(name)))
        .findFirst()
        .orElseThrow();
  }

  private static @Nullable String outcome(SpanData span) {
    return span.getAttributes().get(AttributeKey.stringKey("jarvis.outcome"));
  }

  @Test
  void aTargetAtWhichNoModelWorkedHasNoRow() {
    first.script =
        () -> {
          throw down();
        };

    assertThat(readStream()).contains(TEXT);

    assertThat(rows)
        .extracting(LedgerEntry::provider, LedgerEntry::attempt)
        .containsExactly(tuple("second", 2));
    assertThat(tokens("first", "input")).isEmpty();
    assertThat(Recorded.spans("chat m")).hasSize(2);
  }

  @Test
  void aTargetThatIsSilentForTooLongMayCost() {
    first.script =
        () -> {
          throw new ProviderException.TimedOut("silent", null);
        };

    readStream();

    assertThat(rows)
        .extracting(LedgerEntry::provider, LedgerEntry::inputTokens, LedgerEntry::estimated)
        .containsExactly(tuple("first", QUESTION_TOKENS, true), tuple("second", 4, false));
    assertThat(Recorded.value(Metric.LLM_FALLBACKS, "m", "first", "timeout")).hasValue(1L);
  }

  @Test
  void whatATargetSaidBeforeItsFirstTokenGoesWithIt() {
    first.script =
        () -> new Played("first", broken(), new Event.UsageReport(Usage.counted(9, 0), null));

    assertThat(readStream()).containsExactly(TEXT, STOP, USAGE, END);
    assertThat(rows.getFirst().inputTokens()).as("but its count is its own").isEqualTo(9);
    assertThat(rows.getFirst().estimated()).isFalse();
  }

  @Test
  void onceATargetHasSpokenNobodyElseIsAsked() {
    first.script = () -> new Played("first", broken(), TEXT, TEXT);
    Call call = call(true);
    Answer answer = run(call);

    assertThat(answer.next()).isEqualTo(TEXT);
    assertThat(answer.next()).isEqualTo(TEXT);
    assertThatThrownBy(answer::next)
        .isInstanceOf(ApiException.UpstreamFailed.class)
        .hasMessageContaining("broke off");
    answer.close();

    assertThat(log).containsExactly("first asked", "first closed", "settled");
    assertThat(rows)
        .extracting(
            LedgerEntry::outcome,
            LedgerEntry::inputTokens,
            LedgerEntry::outputTokens,
            LedgerEntry::estimated)
        .containsExactly(tuple("error", QUESTION_TOKENS, 2, true));
    assertThat(call.record().outcome()).isEqualTo(Outcome.ERROR);
  }

  @Test
  void aRefusedQuestionIsAskedOfNobodyElse() {
    first.script =
        () -> {
          throw new ProviderException.Refused("too long");
        };
    Call call = call(true);

    assertThatThrownBy(() -> run(call).head())
        .isInstanceOf(ApiException.InvalidRequest.class)
        .hasMessage("too long");
    assertThat(log).containsExactly("first asked", "settled");
    assertThat(rows)
        .extracting(LedgerEntry::outcome, LedgerEntry::costUsd, LedgerEntry::inputTokens)
        .containsExactly(tuple("rejected", null, 0));
    assertThat(call.record().outcome()).isEqualTo(Outcome.REJECTED);
    assertThat(requests("first", "rejected")).hasValue(1L);
    assertThat(router.circuits()).containsEntry(at(first), false);
  }

  @Test
  void busyTargetsAreAskedOnceMore() {
    second.script =
        () -> {
          first.script = () -> new Played("first", TEXT, STOP, USAGE, END);
          throw new ProviderException.Busy("busy");
        };
    first.script =
        () -> {
          throw new ProviderException.Busy("busy");
        };

    assertThat(readStream()).contains(TEXT);
    assertThat(log)
        .containsExactly("first asked", "second asked", "first asked", "first closed", "settled");
    assertThat(rows).extracting(LedgerEntry::attempt).containsExactly(3);
  }

  @Test
  void whatAModelWorkedOnIsNotAskedAgain() {
    first.script =
        () -> {
          throw broken();
        };
    second.script =
        () -> {
          throw broken();
        };

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOf(ApiException.UpstreamFailed.class);
    assertThat(log).containsExactly("first asked", "second asked", "settled", "settled");
    assertThat(rows)
        .extracting(LedgerEntry::provider, LedgerEntry::outcome)
        .containsExactly(tuple("first", "error"), tuple("second", "error"));
    assertThat(requests("second", "error")).hasValue(1L);
  }

  @Test
  void whatAModelWorkedOnIsNotAskedAgainWhateverTheLastTargetSays() {
    first.script =
        () -> {
          throw broken();
        };
    second.script =
        () -> {
          throw new ProviderException.Unavailable("down", null);
        };

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOf(ApiException.UpstreamFailed.class);
    assertThat(log).containsOnlyOnce("first asked").containsOnlyOnce("second asked");
  }

  @Test
  void aServerThatFailsAWholeAnswerIsNotPaidForTheTimeThatItTook() {
    first.streams = false;
    second.streams = false;
    Event fast = new Event.End(new Timings(Duration.ZERO, Duration.ZERO, Duration.ofNanos(1000)));
    Event usage = new Event.UsageReport(Usage.counted(1, 1000), null);
    first.script = () -> new Played("first", TEXT, STOP, usage, fast);
    read(run(call(false)));
    rows.clear();

    first.script =
        () -> {
          throw new ProviderException.TimedOut("too slow", null);
        };
    read(run(call(false)));

    assertThat(rows.getFirst().provider()).isEqualTo("first");
    assertThat(rows.getFirst().outputTokens()).isZero();
  }

  @Test
  void aLongRetryAfterIsNotWaitedFor() {
    for (Stub provider : List.of(first, second)) {
      provider.script =
          () -> {
            throw new ProviderException.Busy("busy", Duration.ofMinutes(5));
          };
    }

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOfSatisfying(
            ApiException.Overloaded.class,
            e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofMinutes(5)));
    assertThat(log).containsExactly("first asked", "second asked", "settled");
  }

  @Test
  void nobodyElseIsAskedOnceTheTimeOfAnAnswerIsOver() {
    first.script =
        () -> {
          throw down();
        };

    assertThatThrownBy(() -> run(call(true), Duration.ZERO).head())
        .isInstanceOf(ApiException.UpstreamTimedOut.class)
        .hasMessageContaining("No model server began to answer");
    assertThat(log).containsExactly("first asked", "settled");
  }

  @Test
  void aModelIsStoppedBeforeAnAbortedAnswerIsSettled() {
    first.script = () -> new Played("first", TEXT);
    Call call = call(true);
    Answer answer = run(call);
    answer.next();

    answer.close();

    await().atMost(LIMIT).until(() -> call.record().outcome() == Outcome.ABORTED);
    assertThat(log).containsExactly("first asked", "first closed", "settled");
    assertThat(rows)
        .extracting(
            LedgerEntry::outcome,
            LedgerEntry::inputTokens,
            LedgerEntry::outputTokens,
            LedgerEntry::estimated)
        .containsExactly(tuple("aborted", QUESTION_TOKENS, 1, true));
    assertThat(requests("first", "aborted")).hasValue(1L);
  }

  @Test
  void aClientThatLeavesBeforeTheFirstTokenHasAskedAllTheSame() {
    first.script = () -> new Played("first");
    abort(call(true));

    assertThat(rows)
        .extracting(
            LedgerEntry::outcome,
            LedgerEntry::inputTokens,
            LedgerEntry::outputTokens,
            LedgerEntry::estimated)
        .containsExactly(tuple("aborted", QUESTION_TOKENS, 0, true));
    assertThat(rows.getFirst().costUsd()).isEqualByComparingTo("5");
    assertThat(log).doesNotContain("second asked");
  }

  @Test
  void aWholeAnswerThatNobodyWaitedForHasWhatTheTargetWritesInThatTime() {
    first.streams = false;
    Event fast = // a billion tokens a second
        new Event.End(new Timings(Duration.ZERO, Duration.ZERO, Duration.ofNanos(1000)));
    Event usage = new Event.UsageReport(Usage.counted(1, 1000), null);
    first.script = () -> new Played("first", TEXT, STOP, usage, fast);
    read(run(call(false)));
    rows.clear();
    log.clear();

    first.script = () -> waitForNobody();
    abort(call(false));

    assertThat(rows)
        .extracting(
            LedgerEntry::outcome,
            LedgerEntry::inputTokens,
            LedgerEntry::outputTokens,
            LedgerEntry::estimated)
        .as("as much as it may write at most")
        .containsExactly(tuple("aborted", QUESTION_TOKENS, 1000, true));
  }

  /** As a model server that is asked for a whole answer. */
  private static EventSource waitForNobody() {
    if (!Cancellation.current().await(LIMIT)) {
      throw new AssertionError("nobody cancelled the call");
    }
    throw new CancelledException();
  }

  @Test
  void aWholeAnswersTimesAreTheServers() {
    first.streams = false;
    Timings timings = new Timings(Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(4));
    first.script = () -> new Played("first", TEXT, STOP, USAGE, new Event.End(timings));

    read(run(call(false)));
    assertThat(rows.getFirst().timeToFirstToken()).isEqualTo(Duration.ofMillis(3));
    assertThat(rows.getFirst().streamed()).isFalse();

    first.script = () -> new Played("first", TEXT, STOP, USAGE, END);
    read(run(call(false)));
    assertThat(rows.getLast().timeToFirstToken()).as("not known").isNull();
  }

  @Test
  void abortedAnswersDoNotHideThatATargetFails() {
    fail(first, 4);
    first.script = () -> new Played("first", TEXT);
    for (int i = 0; i < 10; i++) {
      Answer answer = run(call(true));
      answer.next();
      answer.close();
    }
    await().atMost(LIMIT).until(() -> rows.size() == 10);
    assertThat(router.circuits()).containsEntry(at(first), false);

    fail(first, 1);
    assertThat(router.circuits()).containsAllEntriesOf(Map.of(at(first), true, at(second), false));
  }

  @Test
  void aBreakerThatOpensAfterTheDecisionPassesTheTargetOver() {
    onceSecondIsConsidered = () -> fail(first, 5);

    assertThat(run(call(true)).head().target()).isEqualTo(new TargetName("second", "m"));
    assertThat(log).doesNotContain("first asked");
  }

  @Test
  void ifEveryBreakerOpensAfterTheDecisionTheTargetsAreAskedAllTheSame() {
    onceSecondIsConsidered =
        () -> {
          fail(first, 5);
          fail(second, 5);
        };

    assertThat(run(call(true)).head().target()).isEqualTo(new TargetName("first", "m"));
  }

  @Test
  void textsBecomeVectorsTheSameWay() {
    EmbeddingRequest texts = new EmbeddingRequest("r", Json.object(), null);
    texts.body().putArray("input").add("text");

    assertThat(read(run(Call.of(UuidV7.next(), "req-1", "ann", null, texts, false, ""))))
        .containsExactly(
            new Event.UsageReport(Usage.counted(6, 0), null),
            new Event.Vectors(List.of(VECTOR)),
            END);
    assertThat(log).containsExactly("first asked as m", "settled");
    assertThat(rows)
        .extracting(LedgerEntry::operation, LedgerEntry::inputTokens, LedgerEntry::timeToFirstToken)
        .containsExactly(tuple("embeddings", 6, null));
    assertThat(Recorded.spans("embeddings m")).hasSize(1);
  }

  @Test
  void aCallThatNobodyCanAnswerAsksNobody() {
    first.unsupported = new UnsupportedFields(List.of("tools"), List.of());
    second.unsupported = new UnsupportedFields(List.of("tools"), List.of());
    Call call = call(true);

    assertThatThrownBy(() -> run(call).head())
        .isInstanceOf(ApiException.InvalidRequest.class)
        .hasMessageContaining("'tools'");
    assertThat(log).isEmpty();
    assertThat(call.record().outcome()).isEqualTo(Outcome.REJECTED);
    assertThat(Recorded.value(Metric.LLM_REQUESTS, "_other", "_none", "rejected")).hasValue(1L);
  }

  @Test
  void fieldsThatTheTargetDoesNotKnowAreInTheHead() {
    first.unsupported = new UnsupportedFields(List.of(), List.of("top_k"));

    assertThat(run(call(true)).head().ignored()).containsExactly("top_k");
  }
}
