package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.config.Configs;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.StubProvider;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.routing.CircuitBreaker.Verdict;
import dev.jarvis.routing.Decision.Option;
import dev.jarvis.routing.Decision.Reason;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RouterTest {
  /** Longer than a test: models are listed at the start only. */
  private static final Duration NEVER = Duration.ofHours(1);

  private static final ChatRequest ANY = Chats.request("m", "hi");

  private static final ChatRequest THOUSAND_WORDS = Chats.request("r", "word ".repeat(1000));

  private final Stub a = new Stub("a");
  private final Stub b = new Stub("b");
  private Catalogue models = new Catalogue(List.of(a, b), NEVER);
  private final Map<Catalogue.Target, Double> prices = new ConcurrentHashMap<>();
  private final AtomicLong now = new AtomicLong();

  /** A provider that has the model "m", unless it is down. */
  private static final class Stub extends StubProvider {
    volatile boolean down;
    volatile boolean withoutList;
    volatile List<String> listed = List.of("m");
    volatile Optional<Boolean> loaded = Optional.empty();
    volatile UnsupportedFields unsupported = UnsupportedFields.NONE;
    volatile OptionalInt window = OptionalInt.empty();

    Stub(String name) {
      super(name);
    }

    @Override
    public ModelList models() throws ProviderException {
      if (down) {
        throw new ProviderException.Unavailable("down", null);
      }
      return withoutList ? ModelList.none("404") : ModelList.listed(listed);
    }

    @Override
    public UnsupportedFields unsupported(ChatRequest request) {
      return unsupported;
    }

    @Override
    public OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
      return configured.isPresent() ? configured : window;
    }

    @Override
    public Optional<Boolean> loaded(String model) {
      return loaded;
    }
  }

  @AfterEach
  void close() {
    models.close();
  }

  /** Lists the models again, for routers created from now on. */
  private void list() {
    models.close();
    models = new Catalogue(List.of(a, b), NEVER);
  }

  private Router router(Strategy strategy, Route.Target... targets) {
    Map<String, String> route = new HashMap<>(Map.of("name", "r", "strategy", strategy.id()));
    for (int i = 0; i < targets.length; i++) {
      route.put("targets.%d.provider".formatted(i), targets[i].provider());
      route.put("targets.%d.model".formatted(i), targets[i].model());
      route.put("targets.%d.weight".formatted(i), Integer.toString(targets[i].weight()));
      route.put("targets.%d.priority".formatted(i), Integer.toString(targets[i].priority()));
    }
    List<Route> routes = List.of(Configs.of(Route.class, route));
    return new Router(
        models,
        routes,
        it -> prices.getOrDefault(it, Double.NaN),
        ContextWindows.REPORTED,
        new Random(42),
        now::get);
  }

  private static Route.Target target(String provider, int weight, int priority) {
    return new Route.Target(provider, "m", weight, priority);
  }

  private Decision decide(Router router) throws ProviderException {
    return router.decide(ANY.withModel("r")).orElseThrow();
  }

  private static List<String> order(Decision decision) {
    return decision.order().stream().map(it -> it.target().provider().name()).toList();
  }

  private static Reason reason(Decision decision) {
    return decision.chosen().map(Option::reason).orElseThrow();
  }

  private Catalogue.Target at(Stub provider) {
    return new Catalogue.Target(provider, "m");
  }

  @Test
  void ordersByPriority() throws Exception {
    Decision decision = decide(router(Strategy.PRIORITY, target("a", 1, 2), target("b", 1, 1)));

    assertThat(order(decision)).containsExactly("b", "a");
    assertThat(decision.options())
        .extracting(Option::reason)
        .containsExactly(Reason.PRIORITY, Reason.FALLBACK);
  }

  @Test
  void choosesByWeight() throws Exception {
    Router router = router(Strategy.WEIGHTED, target("a", 3, 1), target("b", 1, 1));
    Map<String, Integer> drawn = new HashMap<>();
    for (int i = 0; i < 1000; i++) {
      Decision decision = decide(router);
      assertThat(order(decision)).hasSize(2);
      assertThat(reason(decision)).isEqualTo(Reason.WEIGHT);
      drawn.merge(order(decision).getFirst(), 1, Integer::sum);
    }

    assertThat(drawn.get("a")).isBetween(700, 800);
  }

  @Test
  void choosesTheLeastBusyTarget() throws Exception {
    Router router = router(Strategy.LEAST_BUSY, target("a", 1, 1), target("b", 1, 1));
    TargetLease lease = router.lease(at(a));

    Decision busy = decide(router);
    assertThat(order(busy)).containsExactly("b", "a");
    assertThat(reason(busy)).isEqualTo(Reason.LEAST_BUSY);
    assertThat(busy.options()).extracting(it -> it.observed().busy()).containsExactly(0, 1);

    lease.end(Verdict.WORKED);
    lease.end(Verdict.WORKED);
    assertThat(order(decide(router))).containsExactly("a", "b");
  }

  @Test
  void choosesTheTargetWithTheShortestTimeToFirstToken() throws Exception {
    Router router = router(Strategy.LOWEST_LATENCY, target("a", 1, 1), target("b", 1, 1));
    TargetLease slow = router.lease(at(a));
    slow.timeToFirstToken(Duration.ofMillis(30));
    slow.end(Verdict.WORKED);

    Decision untried = decide(router);
    assertThat(order(untried))
        .as("a target that was never asked comes first")
        .containsExactly("b", "a");

    TargetLease quick = router.lease(at(b));
    quick.timeToFirstToken(Duration.ZERO);
    quick.end(Verdict.WORKED);
    Decision decision = decide(router);
    assertThat(order(decision)).containsExactly("b", "a");
    assertThat(reason(decision)).isEqualTo(Reason.LOWEST_LATENCY);
    assertThat(decision.options().get(1).observed().firstToken()).isEqualTo(Duration.ofMillis(30));
  }

  @Test
  void putsATargetWithUnknownTimeToFirstTokenLast() throws Exception {
    Router router = router(Strategy.LOWEST_LATENCY, target("a", 1, 1), target("b", 1, 1));
    TargetLease whole = router.lease(at(a)); // without the server's timings
    whole.answered(10);
    whole.end(Verdict.WORKED);
    TargetLease slow = router.lease(at(b));
    slow.timeToFirstToken(Duration.ofSeconds(9));
    slow.end(Verdict.WORKED);

    assertThat(order(decide(router))).containsExactly("b", "a");
  }

  @Test
  void choosesTheCheapestTargetAndPutsOneWithoutAPriceLast() throws Exception {
    Router router = router(Strategy.LOWEST_COST, target("a", 1, 1), target("b", 1, 1));
    prices.put(at(b), 2.0);
    assertThat(order(decide(router))).containsExactly("b", "a");

    prices.put(at(a), 1.0);
    assertThat(order(decide(router))).containsExactly("a", "b");
  }

  @Test
  void prefersALoadedModelAmongTargetsOfEqualRank() throws Exception {
    a.loaded = Optional.of(false);
    b.loaded = Optional.of(true);

    Decision equal = decide(router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 1)));
    assertThat(order(equal)).containsExactly("b", "a");
    assertThat(reason(equal)).isEqualTo(Reason.LOADED);

    Decision ranked = decide(router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2)));
    assertThat(order(ranked)).containsExactly("a", "b");
  }

  @Test
  void passesOverTargetsThatAreDownOrLackTheModel() throws Exception {
    a.down = true;
    list();
    Decision down = decide(router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2)));
    assertThat(order(down)).containsExactly("b");
    assertThat(reason(down)).isEqualTo(Reason.ONLY);
    assertThat(down.options().getLast().reason()).isEqualTo(Reason.PROVIDER_DOWN);

    a.down = false;
    a.listed = List.of("other");
    list();
    Decision missing = decide(router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2)));
    assertThat(order(missing)).containsExactly("b");
    assertThat(missing.options().getLast().reason()).isEqualTo(Reason.MODEL_MISSING);
  }

  @Test
  void usesATargetWhoseProviderListsNoModels() throws Exception {
    a.withoutList = true;
    list();
    Decision decision = decide(router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2)));

    assertThat(order(decision)).containsExactly("a", "b");
    assertThat(reason(decision)).isEqualTo(Reason.PRIORITY);
  }

  @Test
  void asksAllTargetsAsLastResortIfAllAreDown() throws Exception {
    a.down = true;
    b.down = true;
    list();

    Decision decision = decide(router(Strategy.WEIGHTED, target("a", 1, 2), target("b", 1, 1)));
    assertThat(reason(decision)).isEqualTo(Reason.LAST_RESORT);
    assertThat(order(decision)).containsExactly("b", "a");
  }

  @Test
  void passesOverATargetWhoseCircuitBreakerIsOpen() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2));
    for (int i = 0; i < 4; i++) {
      router.lease(at(a)).end(Verdict.FAILED);
    }
    assertThat(order(decide(router))).containsExactly("a", "b");

    for (int i = 0; i < 6; i++) {
      router.lease(at(a)).end(Verdict.FAILED);
    }
    assertThat(order(decide(router))).containsExactly("b");
    assertThat(decide(router).options().getLast().reason()).isEqualTo(Reason.CIRCUIT_OPEN);
    assertThat(router.circuits())
        .containsExactlyInAnyOrderEntriesOf(Map.of(at(a), true, at(b), false));
  }

  @Test
  void countsLongSilenceBeforeAnAbortAsFailure() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2));
    for (int i = 0; i < 5; i++) {
      router.lease(at(a)).abort(true);
    }
    assertThat(order(decide(router))).containsExactly("a", "b");

    for (int i = 0; i < 5; i++) {
      TargetLease lease = router.lease(at(a));
      now.addAndGet(Duration.ofSeconds(31).toNanos());
      lease.abort(true);
    }
    assertThat(order(decide(router))).containsExactly("b");
  }

  @Test
  void doesNotCountAnAbortedWholeAnswerAsFailure() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2));
    for (int i = 0; i < 10; i++) {
      TargetLease lease = router.lease(at(a));
      now.addAndGet(Duration.ofSeconds(31).toNanos());
      lease.abort(false);
    }
    assertThat(order(decide(router))).containsExactly("a", "b");
  }

  @Test
  void resolvesAModelNameToEachProviderThatHasTheModel() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1));

    Decision decision = router.decide(ANY.withModel("m")).orElseThrow();
    assertThat(order(decision)).containsExactly("a", "b");
    assertThat(decision.route()).isEqualTo("m");
    assertThat(router.decide(ANY.withModel("nowhere"))).isEmpty();
  }

  @Test
  void neverAsksATargetThatCannotHonourTheRequest() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 2));
    a.unsupported = new UnsupportedFields(List.of("tools"), List.of());

    Decision decision = decide(router);
    assertThat(decision.chosen().orElseThrow().target().provider()).isSameAs(b);
    assertThat(decision.options().getLast().reason()).isEqualTo(Decision.Reason.UNSUPPORTED);
    assertThat(decision.unsupported()).isEmpty();

    b.unsupported = new UnsupportedFields(List.of("n"), List.of());
    assertThat(decide(router).order()).isEmpty();
    assertThat(decide(router).unsupported()).contains("tools");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "embeddings         | model              | creates embeddings; use another model.",
        "input              | input              | supports lists of tokens as 'input'; send texts or use another model.",
        "messages.image_url | messages.image_url | supports 'messages.image_url'; remove the field or use another model.",
        "tools.my_url       | tools.my_url       | supports 'tools.my_url'; remove the field or use another model."
      })
  void theErrorSaysWhatNoProviderSupports(String field, String param, String words) {
    a.unsupported = new UnsupportedFields(List.of(field), List.of());
    Router router = router(Strategy.PRIORITY, target("a", 1, 1));

    assertThatExceptionOfType(ApiException.InvalidRequest.class)
        .isThrownBy(() -> router.require(ANY.withModel("r")))
        .withMessage("None of the providers of 'r' (a) %s", words)
        .satisfies(e -> assertThat(e.param()).isEqualTo(param));
  }

  @Test
  void asksTheFirstProviderOfAModelNameEvenIfItsModelIsNotLoaded() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1));
    a.loaded = Optional.of(false);

    Decision decision = router.decide(ANY.withModel("m")).orElseThrow();

    assertThat(decision.chosen().orElseThrow().target().provider()).isSameAs(a);
  }

  @Test
  void doesNotPreferATargetWhoseServerDoesNotReportLoadedModels() throws Exception {
    Router router = router(Strategy.PRIORITY, target("a", 1, 1), target("b", 1, 1));
    a.loaded = Optional.of(false);
    assertThat(order(decide(router))).containsExactly("a", "b");
    assertThat(decide(router).options().getFirst().reason()).isEqualTo(Reason.PRIORITY);

    a.loaded = Optional.empty();
    b.loaded = Optional.of(true);
    assertThat(order(decide(router))).containsExactly("b", "a");
    assertThat(decide(router).options().getFirst().reason()).isEqualTo(Reason.LOADED);
  }

  /** Windows of the targets a and b, and the policy; what the decision for 1000 words is. */
  private record Fit(
      String policy, @Nullable Integer a, @Nullable Integer b, String order, String reasons) {}

  static List<Fit> contexts() {
    return List.of(
        new Fit("tell", 500, 500, "a b", "priority fallback"),
        new Fit("fit", 500, 2000, "b", "only context_exceeded"),
        new Fit("fit", 2000, 500, "a", "only context_exceeded"),
        new Fit("fit", 500, null, "b", "only context_exceeded"),
        new Fit("fit", 1000, 1000, "a b", "priority fallback"),
        new Fit("fit", 500, 999, "", "context_exceeded context_exceeded"),
        new Fit("refuse", 500, 2000, "", "context_exceeded context_exceeded"),
        new Fit("refuse", 2000, 500, "", "context_exceeded context_exceeded"),
        new Fit("refuse", null, 500, "", "context_exceeded context_exceeded"),
        new Fit("refuse", null, null, "a b", "priority fallback"),
        new Fit("refuse", 1000, 2000, "a b", "priority fallback"));
  }

  @ParameterizedTest
  @MethodSource("contexts")
  void aPromptGoesToTheTargetsThatItFits(Fit it) throws Exception {
    a.window = window(it.a);
    b.window = window(it.b);
    Router router = router(it.policy);

    Decision decision = router.decide(THOUSAND_WORDS).orElseThrow();

    assertThat(String.join(" ", order(decision))).isEqualTo(it.order);
    assertThat(decision.options())
        .extracting(o -> o.reason().id())
        .containsExactly(it.reasons.split(" "));
    if (it.order.isEmpty()) {
      assertThatThrownBy(() -> router.require(THOUSAND_WORDS))
          .isInstanceOf(ApiException.InvalidRequest.class)
          .hasMessageStartingWith(
              "The prompt has at least 1000 tokens (estimated); the context window of 'm' at")
          .extracting("code", "param")
          .containsExactly("context_length_exceeded", "messages");
    }
  }

  @Test
  void aTargetThatIsTooSmallIsNoLastResort() throws Exception {
    a.window = window(500);
    b.down = true;
    list();

    assertThat(order(router("fit").decide(THOUSAND_WORDS).orElseThrow())).containsExactly("b");
  }

  @Test
  void aFieldThatNoTargetSupportsIsNotTakenForALongPrompt() {
    a.window = window(500);
    a.unsupported = new UnsupportedFields(List.of("tools"), List.of());
    b.unsupported = a.unsupported;

    assertThatThrownBy(() -> router("fit").require(THOUSAND_WORDS))
        .isInstanceOf(ApiException.InvalidRequest.class)
        .hasMessageContaining("'tools'");
  }

  @Test
  void aConfiguredWindowCounts() throws Exception {
    ContextWindowConfig small =
        Configs.of(
            ContextWindowConfig.class, Map.of("provider", "a", "model", "m", "tokens", "500"));
    Router router =
        new Router(
            models,
            List.of(),
            it -> Double.NaN,
            new ContextWindows(ContextPolicy.FIT, List.of(small)));

    assertThat(order(router.decide(THOUSAND_WORDS.withModel("m")).orElseThrow()))
        .containsExactly("b");
  }

  private Router router(String policy) {
    Map<String, String> route =
        Map.of(
            "name", "r",
            "context", policy,
            "targets.0.provider", "a",
            "targets.0.model", "m",
            "targets.1.provider", "b",
            "targets.1.model", "m",
            "targets.1.priority", "2");
    return new Router(
        models, List.of(Configs.of(Route.class, route)), it -> Double.NaN, ContextWindows.REPORTED);
  }

  private static OptionalInt window(@Nullable Integer tokens) {
    return tokens == null ? OptionalInt.empty() : OptionalInt.of(tokens);
  }

  @ParameterizedTest
  @CsvSource({"m, a, b", "n, b, -", "gone, -, -"})
  void onlyTheModelThatAnEmbeddingMustBeOfIsAsked(String only, String first, String second)
      throws Exception {
    a.listed = List.of("m", "n");
    b.listed = List.of("m", "n");
    list();
    Router router =
        router(
            Strategy.PRIORITY,
            target("a", 1, 1),
            new Route.Target("b", "n", 1, 2),
            target("b", 1, 3));
    EmbeddingRequest request = new EmbeddingRequest("r", Json.object(), only, null);

    List<String> order = router.decide(request).map(RouterTest::order).orElse(List.of());

    assertThat(order)
        .containsExactlyElementsOf(Stream.of(first, second).filter(it -> !it.equals("-")).toList());
    if (order.isEmpty()) {
      assertThatExceptionOfType(ApiException.NotFound.class)
          .isThrownBy(() -> router.require(request))
          .withMessageContaining("'gone' does not exist");
    }
  }
}
