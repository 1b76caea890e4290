package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Callers;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.gateway.cache.AnswerCache;
import dev.jarvis.gateway.cache.CachePolicy;
import dev.jarvis.gateway.cache.SharedGenerations;
import dev.jarvis.id.UuidV7;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.StubProvider;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** Runs calls through the pipeline to a route with two scripted providers. */
@Timeout(60)
abstract class TwoTargets {
  static final Duration LIMIT = Duration.ofSeconds(20);
  static final int QUESTION_TOKENS = 5;
  static final int MOST_EVENTS = 20;
  static final Event TEXT = new Event.Text(0, "x", null);
  static final Event STOP = new Event.ChoiceEnd(0, FinishReason.STOP, null);
  static final Event USAGE = new Event.UsageReport(new Usage(4, 3, 2, 1, false), null);
  static final Event END = new Event.End(null);
  static final float[] VECTOR = {1, 2};

  /** What happened, in order. */
  final List<String> log = new CopyOnWriteArrayList<>();

  static final LocalDate DAY = LocalDate.of(2026, 11, 28);

  final List<LedgerEntry> entries = new CopyOnWriteArrayList<>();

  /** The attempts of all entries. */
  final List<AttemptEntry> rows = new CopyOnWriteArrayList<>();

  final Telemetry telemetry = Recorded.start();
  final Stub first = new Stub("first");
  final Stub second = new Stub("second");
  final Catalogue models = new Catalogue(List.of(first, second), Duration.ofDays(1));
  Runnable afterDecision = () -> {};
  final Router router =
      new Router(
          models,
          List.of(
              Configs.of(
                  Route.class,
                  Map.of(
                      "name", "r",
                      "context", context(),
                      "targets.0.provider", "first",
                      "targets.0.model", "m",
                      "targets.1.provider", "second",
                      "targets.1.model", "m",
                      "targets.1.priority", "2"))),
          this::price,
          ContextWindows.REPORTED);
  private Redis redis;

  /** How a provider answers. */
  interface Script {
    EventSource answer() throws ProviderException;
  }

  final class Stub extends StubProvider {
    volatile Script script;
    volatile boolean streams = true;
    volatile UnsupportedFields unsupported = UnsupportedFields.NONE;
    volatile OptionalInt window = OptionalInt.empty();
    volatile boolean cuts;

    Stub(String name) {
      super(name);
      script = () -> new Played(name, TEXT, STOP, USAGE, END);
    }

    @Override
    public ModelList models() {
      return ModelList.listed(List.of("m"));
    }

    @Override
    public EventSource chat(ProviderRequest request) throws ProviderException {
      log.add(name() + " asked");
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
    public OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
      return window;
    }

    @Override
    public boolean cutsPrompts() {
      return cuts;
    }

    @Override
    public Embeddings embed(EmbeddingRequest request, String label) {
      log.add(name() + " asked as " + label);
      return new Embeddings(List.of(VECTOR), Usage.counted(6, 0), null);
    }
  }

  /** Returns its events, then fails or waits until the call is cancelled. */
  final class Played implements EventSource {
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
      throw new AssertionError("the answer was not cancelled");
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
    redis = // never used, because no route has a cache
        Stores.redis(
            Configs.of(RedisConfig.class, Map.of("url", "redis://127.0.0.1:1")),
            Path.of("none"),
            telemetry);
  }

  @AfterEach
  void close() throws IOException {
    models.close();
    redis.close();
    telemetry.close();
  }

  /** A decision asks for the price of its second target last. */
  double price(Catalogue.Target target) {
    if (target.provider().name().equals("second")) {
      afterDecision.run();
    }
    return Double.NaN;
  }

  Call call(boolean streamed) {
    ChatRequest request = Chats.request("r", "a question of 20 chr");
    request.body().put("max_tokens", 1000);
    return Call.of(UuidV7.next(), "req-1", Callers.of("ann", "bob"), request, streamed, "");
  }

  Answer run(Call call) {
    return run(call, Duration.ofMinutes(1));
  }

  Answer run(Call call, Duration longest) {
    Settlement settlement =
        new Settlement(
            telemetry.instruments(),
            TwoTargets::cost,
            models::label,
            it -> DAY,
            entry -> {
              log.add("settled");
              entries.add(entry);
              rows.addAll(entry.attempts());
            });
    SharedGenerations generations =
        new SharedGenerations(
            new AnswerCache(redis, telemetry.instruments(), name -> CachePolicy.NONE),
            settlement,
            LIMIT);
    return new Pipeline(
            List.of(generations, new AttemptTargets(router, models, telemetry, longest)),
            settlement)
        .run(call);
  }

  /** What the route does with prompts that are too long. */
  String context() {
    return "tell";
  }

  /** One dollar per token. */
  static Optional<Cost> cost(TargetName target, Instant at, Usage usage, Duration compute) {
    return Optional.of(
        new Cost(BigDecimal.valueOf(usage.inputTokens() + usage.outputTokens()), null));
  }

  /** Reads an answer to its end. */
  static List<Event> read(Answer answer) {
    List<Event> events = new ArrayList<>();
    try (answer) {
      do {
        events.add(answer.next());
        assertThat(events).as("events before the end").hasSizeLessThan(MOST_EVENTS);
      } while (!(events.getLast() instanceof Event.End));
    }
    return events;
  }

  List<Event> readStream() {
    return read(run(call(true)));
  }

  Catalogue.Target at(Stub provider) {
    return new Catalogue.Target(provider, "m");
  }

  void fail(Stub provider, int times) {
    for (int i = 0; i < times; i++) {
      router.lease(at(provider)).end(CircuitBreaker.Verdict.FAILED);
    }
  }

  /** Closes an answer before its first event. */
  void abort(Call call) {
    Answer answer = run(call);
    await().atMost(LIMIT).until(() -> log.contains("first asked"));
    answer.close();
    await().atMost(LIMIT).until(() -> call.record().outcome() != null);
  }

  static Optional<Long> requests(String provider, String outcome) {
    return Recorded.value(Metric.LLM_REQUESTS, "m", provider, outcome);
  }

  static Optional<Long> tokens(String provider, String type) {
    return Recorded.value(Metric.LLM_TOKENS, "m", provider, type);
  }

  static ProviderException down() {
    return new ProviderException.Unavailable("down", null);
  }

  static ProviderException broken() {
    return new ProviderException.Unavailable("broke off", null, true);
  }

  /** Usage with the estimated input of the question. */
  static Usage estimate(int outputTokens) {
    return new Usage(QUESTION_TOKENS, 0, outputTokens, 0, true);
  }

  static String provider(AttemptEntry attempt) {
    return attempt.target().provider();
  }

  static int inputTokens(AttemptEntry attempt) {
    return attempt.usage().freshInputTokens();
  }

  static boolean estimated(AttemptEntry attempt) {
    return attempt.usage().estimated();
  }
}
