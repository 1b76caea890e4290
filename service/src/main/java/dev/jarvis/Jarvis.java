package dev.jarvis;

import dev.jarvis.admin.Administration;
import dev.jarvis.admin.OtherAccess;
import dev.jarvis.budget.Budgets;
import dev.jarvis.dialect.openai.ChatConfig;
import dev.jarvis.dialect.openai.ChatRoutes;
import dev.jarvis.dialect.openai.ContentUrls;
import dev.jarvis.dialect.openai.EmbeddingRoutes;
import dev.jarvis.dialect.openai.ModelRoutes;
import dev.jarvis.dialect.openai.RoutingRoutes;
import dev.jarvis.document.Documents;
import dev.jarvis.document.EmbeddingClient;
import dev.jarvis.document.search.DocumentSearch;
import dev.jarvis.gateway.Admit;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.Stage;
import dev.jarvis.gateway.cache.AnswerCache;
import dev.jarvis.gateway.cache.SharedGenerations;
import dev.jarvis.health.DependencyCheck;
import dev.jarvis.health.Health;
import dev.jarvis.health.HealthRoutes;
import dev.jarvis.health.MetricsRoutes;
import dev.jarvis.health.ProviderRoutes;
import dev.jarvis.http.BearerTokens;
import dev.jarvis.http.ByteBudget;
import dev.jarvis.http.Cors;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.MalformedRequests;
import dev.jarvis.http.OpenApiRoutes;
import dev.jarvis.http.RequestFilter;
import dev.jarvis.http.Routes;
import dev.jarvis.http.TrustedProxies;
import dev.jarvis.http.UndecodedContent;
import dev.jarvis.http.connection.Connections;
import dev.jarvis.identity.ActiveUsers;
import dev.jarvis.identity.ApiKeys;
import dev.jarvis.identity.Authenticator;
import dev.jarvis.identity.Identities;
import dev.jarvis.identity.KeyUse;
import dev.jarvis.identity.jwt.Issuers;
import dev.jarvis.ledger.Ledger;
import dev.jarvis.ledger.WriteIntent;
import dev.jarvis.limit.Admission;
import dev.jarvis.limit.Counters;
import dev.jarvis.limit.Limit;
import dev.jarvis.limit.RouteLimits;
import dev.jarvis.price.ImportedPrices;
import dev.jarvis.price.Prices;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderConfig;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.local.LocalConfig;
import dev.jarvis.provider.local.LocalProvider;
import dev.jarvis.provider.ollama.OllamaProvider;
import dev.jarvis.provider.openai.OpenAiProvider;
import dev.jarvis.routing.AttemptTargets;
import dev.jarvis.routing.Authorise;
import dev.jarvis.routing.Catalogue;
import dev.jarvis.routing.ContextWindows;
import dev.jarvis.routing.Forecasts;
import dev.jarvis.routing.Resolve;
import dev.jarvis.routing.Router;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.webserver.ErrorHandling;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole service, wired: the one place that knows every part. Closes in reverse order, telemetry
 * last.
 */
public final class Jarvis implements AutoCloseable {
  /** The version that {@code /health} and telemetry report; the same as the build's. */
  static final String VERSION = "0.13.0";

  private static final Logger LOG = LoggerFactory.getLogger(Jarvis.class);
  private static final Duration HEALTH_PERIOD = Duration.ofSeconds(2);
  private static final Duration HEALTH_LIMIT = Duration.ofSeconds(1);

  /** How long after the end of a call its last ledger entry is written, at most. */
  private static final Duration LATE_ENTRIES = Duration.ofMinutes(1);

  /** Every type of model server, by which {@code providers.NAME.type} chooses. */
  static final List<ProviderFactory> PROVIDERS =
      List.of(OllamaProvider.FACTORY, OpenAiProvider.FACTORY);

  private final UnaryOperator<List<Stage>> stages;
  private final Deque<AutoCloseable> parts = new ConcurrentLinkedDeque<>();
  private volatile @Nullable Pipeline pipeline;
  private volatile @Nullable Routes routes;
  private volatile int port;

  Jarvis() {
    this(UnaryOperator.identity());
  }

  /**
   * @param stages changes the stages of every call: tests put stages of their own between them
   */
  Jarvis(UnaryOperator<List<Stage>> stages) {
    this.stages = stages;
  }

  /**
   * Starts every part and then the server. {@link #close} closes the parts that have started, also
   * during the start.
   *
   * @throws Exception if a part cannot start
   */
  void start(JarvisConfig config) throws Exception {
    createHome(config.home());
    Telemetry telemetry = open(Telemetry.start(VERSION, config.server().instanceName()));
    ApiKeys keys =
        ApiKeys.open(
            config.keys().hashed(), config.home().resolve("api-key.sha256"), Jarvis::announce);

    Database database = open(Stores.database(config.database(), config.home(), telemetry));
    Redis redis = open(Stores.redis(config.redis(), config.home(), telemetry));
    ObjectStore objects = open(Stores.objects(config.s3(), config.home(), telemetry));
    Ledger ledger = open(Ledger.open(config.ledger(), config.home(), database, telemetry));
    Budgets budgets = open(budgets(config, ledger, redis, database, telemetry.instruments()));
    ledger.onConfirmed(budgets::confirmed);
    ledger.start();
    ActiveUsers activeUsers = open(new ActiveUsers(redis, telemetry.instruments()));
    @Nullable LocalProvider local = local(config.localModels());
    Catalogue models =
        open(
            new Catalogue(
                providers(config, local, telemetry.instruments()), config.models().refresh()));
    Prices prices = Prices.of(config.prices());
    Router router =
        new Router(
            models,
            config.routes(),
            it -> prices.perMillion(it.name()),
            new ContextWindows(config.models().context(), config.contextWindows()));
    for (Provider provider : models.providers()) {
      open(provider.observe(models::label));
    }
    Health health =
        open(
            Health.start(
                List.of(
                    new DependencyCheck("database", database::check),
                    new DependencyCheck("redis", redis::check),
                    new DependencyCheck("minio", objects::check),
                    new DependencyCheck(HealthRoutes.MODELS, models::check)),
                HEALTH_PERIOD,
                HEALTH_LIMIT));
    open(telemetry.instruments().gauges(Metric.DEPENDENCY_UP, health::up));

    Identities identities =
        open(new Identities(config.identity(), database, telemetry.instruments()));
    identities.addMissing(keys.users());
    identities.onChange(budgets.book()::reload);
    ImportedPrices imported = new ImportedPrices(database, prices);
    identities.onChange(imported::reload);
    imported.reload();
    Authenticator clients =
        authenticator(config, keys, identities, database, telemetry.instruments());
    BearerTokens tokens = new BearerTokens(clients::authenticate, config.metrics().token());
    ByteBudget memory = new ByteBudget(config.server().bodies().bodyBudget());
    open(telemetry.instruments().gauge(Metric.HTTP_REQUEST_BODY_RESERVED, memory::reserved));
    JsonBody bodies =
        new JsonBody(
            config.server().bodies().maxBodyBytes(),
            config.server().bodies().maxJsonDepth(),
            memory);
    Counters counters = open(new Counters(redis, config.limits(), telemetry.instruments()));
    RouteLimits routeLimits =
        new RouteLimits(config.limits().routes(), counters, telemetry.instruments());
    Routes routes =
        new Routes(tokens, (group, user) -> routeLimits.check(group.id(), user), bodies, VERSION);
    this.routes = routes;
    new HealthRoutes(health, VERSION).register(routes);
    new MetricsRoutes(telemetry).register(routes);
    OpenApiRoutes.register(routes);
    new ModelRoutes(models, router).register(routes);
    new RoutingRoutes(router, explanations(config.chat())).register(routes);
    open(telemetry.instruments().gaugesByLabels(Metric.LLM_CIRCUIT_OPEN, router::openCircuits));
    open(telemetry.instruments().gauges(Metric.LLM_PROVIDER_UP, models::up));
    new ProviderRoutes(models, router).register(routes);

    @Nullable EmbeddingClient embedder = embedder(config, identities, local);
    Documents documents =
        open(new Documents(config.documents(), database, objects, telemetry, embedder));
    documents.register(routes);
    DocumentSearch search =
        new DocumentSearch(config.documents(), database, documents.files(), telemetry, embedder);
    search.register(routes);
    Administration administration =
        open(
            new Administration(
                database,
                documents.files(),
                objects,
                telemetry.instruments(),
                new OtherAccess(
                    keys.users().keySet(),
                    config.issuers().keySet(),
                    config.issuers().entrySet().stream()
                        .filter(it -> it.getValue().roleClaim() != null)
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toSet())),
                config.providerNames(),
                config.budgets().zone().id(),
                identities::changed,
                Collections.max(
                        List.of(
                            config.chat().maxDuration(),
                            config.documents().files().uploadTimeout()))
                    .plus(config.identity().staleFor())
                    .plus(config.server().timeouts().bodyTimeout())
                    .plus(LATE_ENTRIES)));
    administration.register(routes);
    Settlement settlement = settlement(prices, telemetry, models, budgets, ledger);
    ledger.recover(prices::cost, settlement::recover);
    AnswerCache cache = new AnswerCache(redis, telemetry.instruments(), router::cache);
    // The stages of every call to a model, in order; see docs/architecture.md.
    Pipeline calls =
        new Pipeline(
            stages.apply(
                List.of(
                    new Authorise(),
                    new Resolve(router),
                    new Limit(
                        config.limits(),
                        config.documents().passages().contextTokens(),
                        counters,
                        telemetry.instruments()),
                    budgets.check(),
                    search.grounding(),
                    open(
                        new SharedGenerations(
                            cache, settlement, config.server().timeouts().writeTimeout())),
                    new Admit(admission(config.chat(), telemetry.instruments())),
                    budgets.reserve(
                        new Forecasts(router, prices::cost, config.limits().outputEstimate())),
                    new WriteIntent(ledger),
                    new AttemptTargets(router, models, telemetry, config.chat().maxDuration()))),
            settlement);
    pipeline = calls;
    open(
        budgets.start(
            prices::cost, settlement::recover, ledger.known()::contains, !ledger.spoolIsNew()));
    documents.start();
    administration.start();

    ContentUrls contentUrls = open(new ContentUrls(config.chat().contentUrls()));
    new ChatRoutes(config.chat(), memory, contentUrls, activeUsers, calls).register(routes);
    new EmbeddingRoutes(memory, contentUrls, activeUsers, calls).register(routes);

    TrustedProxies proxies = new TrustedProxies(config.server().trustedProxies());
    Cors cors = new Cors(config.server().cors());
    RequestFilter filter = new RequestFilter(telemetry, routes, tokens, proxies, cors);
    WebServer started =
        server(
                config,
                routes,
                filter,
                new MalformedRequests(telemetry.instruments(), proxies, cors, maxBodyBytes(config)))
            .start();
    parts.push(
        () -> {
          filter.stopping();
          started.stop();
        });
    port = started.port();
    LOG.atInfo().addKeyValue("url", "http://" + config.server().host() + ":" + port).log("ready");
  }

  private static Budgets budgets(
      JarvisConfig config, Ledger ledger, Redis redis, Database database, Instruments instruments) {
    return new Budgets(
        config.budgets(),
        new Budgets.Replicas(
            ledger.replicaId(), config.limits().maxReplicas(), config.limits().redisTimeout()),
        redis,
        database,
        instruments);
  }

  private Authenticator authenticator(
      JarvisConfig config,
      ApiKeys keys,
      Identities identities,
      Database database,
      Instruments instruments) {
    KeyUse uses = open(new KeyUse(database, config.identity().maxKnownKeys()));
    Issuers issuers = config.issuers().isEmpty() ? null : open(new Issuers(config.issuers()));
    return new Authenticator(config.identity(), keys, identities, uses, issuers, instruments);
  }

  private static WebServer server(
      JarvisConfig config, Routes routes, RequestFilter filter, MalformedRequests malformed) {
    HttpRouting.Builder routing = HttpRouting.builder().addFilter(filter);
    routes.register(routing);
    return WebServer.builder()
        .host(config.server().host())
        .port(config.server().port())
        .shutdownHook(false) // Main has one that closes all parts
        .shutdownGracePeriod(config.server().timeouts().shutdownGrace())
        .maxPayloadSize(maxBodyBytes(config))
        .contentEncoding(new UndecodedContent())
        .maxTcpConnections(config.server().maxConnections())
        .idleConnectionTimeout(config.server().timeouts().idleTimeout())
        .idleConnectionPeriod(config.server().timeouts().idleTimeout().dividedBy(4))
        .protocolsDiscoverServices(false) // Connections must be the only selector
        .addConnectionSelector(
            new Connections(
                config.server().timeouts().headTimeout(),
                config.server().timeouts().bodyTimeout(),
                config.server().timeouts().writeTimeout()))
        .connectionOptions(
            it -> it.tcpNoDelay(true)) // otherwise each piece of a stream waits for 40 ms
        .directHandlers(malformed.handlers())
        .errorHandling(ErrorHandling.builder().includeEntity(true).build()) // tells the reason
        .routing(routing)
        .build();
  }

  private static long maxBodyBytes(JarvisConfig config) {
    return Math.max(
        config.server().bodies().maxBodyBytes(), config.documents().files().maxUploadBytes());
  }

  private @Nullable EmbeddingClient embedder(
      JarvisConfig config, Identities identities, @Nullable LocalProvider local) {
    String model = config.documents().passages().embeddingModel();
    if (model == null) {
      return null;
    }
    LocalWindow window =
        config
            .localDocumentModel()
            .map(it -> new LocalWindow(it, Objects.requireNonNull(local)))
            .orElse(null);
    return new EmbeddingClient(
        () -> Objects.requireNonNull(pipeline), identities::teamOf, model, window);
  }

  /** Also announces the series of each discovered model, at 0. */
  private static Settlement settlement(
      Prices prices, Telemetry telemetry, Catalogue models, Budgets budgets, Ledger ledger) {
    Settlement settlement =
        new Settlement(
            telemetry.instruments(), prices::cost, models::label, budgets::day, ledger::settle);
    models.onDiscovered(
        it -> {
          String label = models.label(it.model());
          settlement.announce(label, it.provider().name());
          it.provider().discovered(label);
        });
    return settlement;
  }

  private static Admit.Permits admission(ChatConfig chat, Instruments instruments) {
    Admission admission =
        new Admission(
            "requests",
            chat.queue().limits(),
            change -> instruments.add(Metric.LLM_WAITING_REQUESTS, change));
    return user -> admission.acquire(user)::close;
  }

  /** Explanations call no model, so they have a queue of their own, with the limits of chats. */
  private static Admission explanations(ChatConfig chat) {
    return new Admission("explanations", chat.queue().limits(), change -> {});
  }

  private @Nullable LocalProvider local(LocalConfig config) throws IOException {
    return config.models().isEmpty() ? null : open(new LocalProvider(config));
  }

  private List<Provider> providers(
      JarvisConfig config, @Nullable LocalProvider local, Instruments instruments) {
    List<Provider> providers = new ArrayList<>();
    for (ProviderConfig provider : config.modelServers()) {
      providers.add(open(provider.type().open(provider.server(), instruments)));
    }
    if (local != null) {
      providers.add(local);
    }
    return providers;
  }

  private <T extends AutoCloseable> T open(T part) {
    parts.push(part);
    return part;
  }

  /** Readable by its owner only, because it contains data and the hash of a key. */
  private static void createHome(Path home) throws IOException {
    if (!Files.isDirectory(home)) {
      Files.createDirectories(
          home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  private static void announce(String key) {
    // not a log line: the person who starts the service must see it, and no log store may keep it
    System.err.printf(
        "%n  An API key was generated for the user \"admin\". It is shown only once; JARVIS stores only"
            + " its hash:%n%n      %s%n%n",
        key);
  }

  /** The routes, once the service has started. */
  Routes routes() {
    return Objects.requireNonNull(routes);
  }

  /** The port that the server listens on, 0 before it does. */
  int port() {
    return port;
  }

  @Override
  public void close() {
    for (AutoCloseable part = parts.poll(); part != null; part = parts.poll()) {
      try {
        part.close();
      } catch (Exception e) {
        LOG.atWarn().setCause(e).log("a part failed to close");
      }
    }
  }
}
