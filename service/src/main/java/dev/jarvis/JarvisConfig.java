package dev.jarvis;

import dev.jarvis.budget.BudgetConfig;
import dev.jarvis.config.Binder;
import dev.jarvis.config.Checked;
import dev.jarvis.config.ConfigException;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Key;
import dev.jarvis.config.Problems;
import dev.jarvis.dialect.openai.ChatConfig;
import dev.jarvis.document.DocumentConfig;
import dev.jarvis.health.MetricsConfig;
import dev.jarvis.http.ServerConfig;
import dev.jarvis.identity.IdentityConfig;
import dev.jarvis.identity.KeyConfig;
import dev.jarvis.identity.jwt.IssuerConfig;
import dev.jarvis.ledger.LedgerConfig;
import dev.jarvis.limit.LimitConfig;
import dev.jarvis.provider.ProviderConfig;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.local.EmbeddingModel;
import dev.jarvis.provider.local.LocalConfig;
import dev.jarvis.provider.ollama.OllamaConfig;
import dev.jarvis.routing.CatalogueConfig;
import dev.jarvis.routing.ContextWindowConfig;
import dev.jarvis.routing.PriceConfig;
import dev.jarvis.routing.Prices.Name;
import dev.jarvis.routing.Route;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.ObjectStoreConfig;
import dev.jarvis.storage.RedisConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The features' configurations, and what must hold between them. */
record JarvisConfig(
    @Doc("Folder for persistent data: a generated API key and the data of the embedded stand-ins.")
        @Default("~/.jarvis")
        Path home,
    @Inline KeyConfig keys,
    @Doc("How clients are authenticated.") IdentityConfig identity,
    @Doc("OIDC issuers whose tokens are accepted as keys, each under a name of your own.")
        Map<String, IssuerConfig> issuers,
    @Doc("Where the HTTP server listens, and what it accepts.") ServerConfig server,
    @Doc("Access to metrics and health.") MetricsConfig metrics,
    @Doc("Chat completions and their limits.") ChatConfig chat,
    @Doc("Rate limits of keys, users, teams and routes, over all replicas.") LimitConfig limits,
    @Doc("Budgets of keys, users and teams, and of all calls together.") BudgetConfig budgets,
    @Doc("Uploaded files: limits, processing and search.") DocumentConfig documents,
    @Doc("PostgreSQL; without a URL, an embedded server.") DatabaseConfig database,
    @Doc("The ledger of usage and cost.") LedgerConfig ledger,
    @Doc("Redis; without a URL, an embedded server.") RedisConfig redis,
    @Doc("The object store for files; without an endpoint, a folder of home.") ObjectStoreConfig s3,
    @Doc(
            "Model providers are an Ollama server (ollama), a GGUF file run inside this process (local), and any number of others (providers). At least one is required.")
        CatalogueConfig models,
    @Doc("The provider named ollama in routes and prices.") OllamaConfig ollama,
    @Doc("The provider named local in routes and prices.") LocalConfig local,
    @Doc(
            "Further providers, each under a name of your own. An entry's values can be overridden by environment variables, as any other: JARVIS_PROVIDERS_CLOUD_API_KEY, or JARVIS_PROVIDERS_CLOUD_API_KEY_FILE, is the key of the provider cloud.")
        Map<String, ProviderConfig> providers,
    @Doc(
            "Public model names that stand for one or more models. A model's own name needs no route: requests go to the providers that list it, in the order of ollama, providers by name, local.")
        List<Route> routes,
    @Doc(
            "What answers cost, in USD. The latest price whose day has begun applies. Without a price, the cost of an answer is unknown, not zero.")
        List<PriceConfig> prices,
    @Doc(
            "The context windows of models whose servers do not report them: the maximum number of tokens of question and answer together. Ollama, vLLM, SGLang, llama.cpp, LM Studio and OpenRouter report them.")
        List<ContextWindowConfig> contextWindows)
    implements Checked {

  /** Providers' names are labels of metrics and parts of variables' names. */
  private static final Pattern PROVIDER_NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");

  private static final Binder BINDER =
      new Binder(
          Map.of(
              ProviderFactory.class,
              Jarvis.PROVIDERS.stream()
                  .collect(
                      Collectors.toMap(
                          ProviderFactory::type, it -> it, (a, b) -> a, LinkedHashMap::new))));

  /**
   * Reads the configuration.
   *
   * @throws ConfigException listing everything that is wrong
   */
  static JarvisConfig load(Map<String, String> environment) throws ConfigException {
    return BINDER.load(JarvisConfig.class, environment);
  }

  /** Every key that there is. */
  static List<Key> keyList() {
    return BINDER.keys(JarvisConfig.class);
  }

  /** The model servers, in the order in which a model's name is looked up. */
  List<ProviderConfig> modelServers() {
    List<ProviderConfig> servers = new ArrayList<>();
    ollama.provider().ifPresent(servers::add);
    servers.addAll(providers.values());
    return servers;
  }

  /** The models inside the process; an embedding model need be named only for the documents. */
  LocalConfig localModels() {
    String wanted = documents.passages().embeddingModel();
    boolean routed = routes.stream().anyMatch(it -> it.name().equals(wanted));
    return EmbeddingModel.of(wanted).filter(it -> !routed).map(local::withEmbeddings).orElse(local);
  }

  /** The embedding model inside the process, if it may embed documents. */
  Optional<EmbeddingModel> localDocumentModel() {
    EmbeddingModel model = localModels().embeddings().embeddingModel();
    String wanted = documents.passages().embeddingModel();
    if (model == null || wanted == null) {
      return Optional.empty();
    }
    Optional<Route> route = routes.stream().filter(it -> it.name().equals(wanted)).findFirst();
    boolean used =
        route
            .map(it -> it.targets().stream().anyMatch(target -> isLocal(target, model)))
            .orElse(model.id().equals(wanted));
    return Optional.of(model).filter(it -> used);
  }

  private static boolean isLocal(Route.Target target, EmbeddingModel model) {
    return target.provider().equals(LocalConfig.NAME) && target.model().equals(model.id());
  }

  @Override
  public void check(Problems problems) {
    if (ollama.url() == null && localModels().models().isEmpty() && providers.isEmpty()) {
      problems.add(
          "ollama.url",
          "must be set, or local.model (JARVIS_LOCAL_MODEL, the path of a GGUF file), or an entry of providers: no model is configured.");
    }
    if (documents.queues().maxSearches() >= database.poolSize()) {
      problems.add(
          "documents.max-searches",
          "must be below database.pool-size, %d, so that connections remain for other work."
              .formatted(database.poolSize()));
    }
    checkIssuers(problems);
    checkProviderNames(problems);
    checkRoutes(problems);
    checkPrices(problems);
    for (int i = 0; i < contextWindows.size(); i++) {
      checkProvider(
          contextWindows.get(i).provider(), "context-windows.%d.provider".formatted(i), problems);
    }
  }

  /** A token names its issuer by the URL alone. */
  private void checkIssuers(Problems problems) {
    Set<String> urls = new HashSet<>();
    issuers.forEach(
        (name, issuer) -> {
          if (!urls.add(issuer.issuer().uri().toString())) {
            problems.add("issuers.%s.issuer".formatted(name), "is the URL of another issuer too.");
          }
        });
  }

  private void checkProviderNames(Problems problems) {
    for (String name : providers.keySet()) {
      if (!PROVIDER_NAME.matcher(name).matches()) {
        problems.add(
            "providers." + name,
            "the name must be 1 to 32 lower-case letters, digits or \"-\", and not begin with \"-\".");
      } else if (name.equals(OllamaConfig.NAME) || name.equals(LocalConfig.NAME)) {
        problems.add("providers." + name, "the name is built in; choose another.");
      }
    }
  }

  private void checkRoutes(Problems problems) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < routes.size(); i++) {
      Route route = routes.get(i);
      if (!route.name().isEmpty() && !names.add(route.name())) {
        problems.add("routes.%d.name".formatted(i), "is already the name of another route.");
      }
      for (int j = 0; j < route.targets().size(); j++) {
        String key = "routes.%d.targets.%d.provider".formatted(i, j);
        String provider = route.targets().get(j).provider();
        checkProvider(provider, key, problems);
        if (provider.equals(OllamaConfig.NAME) && ollama.url() == null) {
          problems.add(key, "is not configured: set ollama.url (JARVIS_OLLAMA_URL).");
        } else if (provider.equals(LocalConfig.NAME) && localModels().models().isEmpty()) {
          problems.add(
              key,
              "is not configured: set local.model (JARVIS_LOCAL_MODEL) or local.embedding-model (JARVIS_LOCAL_EMBEDDING_MODEL).");
        }
        checkTargetModel(
            route.targets().get(j), "routes.%d.targets.%d.model".formatted(i, j), problems);
      }
    }
  }

  /** A provider whose models are named has no others. */
  private void checkTargetModel(Route.Target target, String key, Problems problems) {
    ProviderConfig provider = providers.get(target.provider());
    List<String> models =
        target.provider().equals(OllamaConfig.NAME)
            ? ollama.models()
            : provider == null ? List.of() : provider.server().models();
    if (!models.isEmpty() && !models.contains(target.model())) {
      problems.add(
          key,
          "must be one of the models that %s.models names."
              .formatted(provider == null ? OllamaConfig.NAME : "providers." + target.provider()));
    }
  }

  /** A price may stand there for a built-in provider that is not configured. */
  private void checkPrices(Problems problems) {
    Set<Name> priced = prices.stream().map(PriceConfig::name).collect(Collectors.toSet());
    for (int i = 0; i < prices.size(); i++) {
      checkProvider(prices.get(i).provider(), "prices.%d.provider".formatted(i), problems);
      Name other = prices.get(i).compareWith();
      if (other != null && !priced.contains(other)) {
        problems.add("prices.%d.compare-with".formatted(i), "must be a model that has a price.");
      }
    }
  }

  private void checkProvider(String provider, String key, Problems problems) {
    Set<String> known = new TreeSet<>(providers.keySet());
    known.add(OllamaConfig.NAME);
    known.add(LocalConfig.NAME);
    if (!known.contains(provider)) {
      problems.add(key, "must be the name of a provider: " + String.join(", ", known) + ".");
    }
  }
}
