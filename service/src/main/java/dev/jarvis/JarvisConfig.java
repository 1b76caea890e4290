package dev.jarvis;

import dev.jarvis.dialect.openai.ChatConfig;
import dev.jarvis.dialect.openai.ContentUrls;
import dev.jarvis.document.DocumentConfig;
import dev.jarvis.document.extract.ExtractLimits;
import dev.jarvis.http.TrustedProxies;
import dev.jarvis.identity.ApiKeys;
import dev.jarvis.identity.ApiKeys.HashedKey;
import dev.jarvis.limit.Admission;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.local.LocalConfig;
import dev.jarvis.routing.Prices;
import dev.jarvis.routing.Route;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.ObjectStoreConfig;
import dev.jarvis.storage.RedisConfig;
import io.lettuce.core.RedisURI;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The features' configurations. What each key means stands in application.yaml. */
record JarvisConfig(
    Path home,
    List<HashedKey> apiKeys,
    Server server,
    @Nullable String metricsToken,
    ChatConfig chat,
    DocumentConfig documents,
    DatabaseConfig database,
    RedisConfig redis,
    ObjectStoreConfig objectStore,
    List<ModelServer> modelServers,
    Duration modelRefresh,
    @Nullable LocalConfig local,
    List<Route> routes,
    Prices prices) {

  /** Nobody guesses so many, if they are random: `openssl rand -hex 24` makes 48. */
  private static final int LEAST_KEY_CHARS = 16;

  private static final Pattern HASHED_KEY = Pattern.compile("([^:,\\s]{1,64}):([0-9a-f]{64})");

  /** Without the metrics token. */
  @Override
  public String toString() {
    return "JarvisConfig[home=%s, server=%s]".formatted(home, server);
  }

  /** A model server, its kind, and the fields of requests that it does not get. */
  record ModelServer(ProviderFactory kind, ModelServerConfig config, FieldPolicy fields) {}

  /** Where the server listens and what it takes. */
  record Server(
      String host,
      int port,
      String instance,
      int maxBodyBytes,
      long bodyBudget,
      int maxJsonDepth,
      int maxConnections,
      Duration idleTimeout,
      Duration headTimeout,
      Duration bodyTimeout,
      Duration writeTimeout,
      Duration shutdownGrace,
      TrustedProxies trustedProxies) {}

  /**
   * Reads the configuration.
   *
   * @throws ConfigException listing everything that is wrong
   */
  static JarvisConfig load(Map<String, String> environment) throws ConfigException {
    Settings settings = Settings.load(environment);
    ModelSettings models = new ModelSettings(settings);
    JarvisConfig config =
        new JarvisConfig(
            settings.path("home"),
            apiKeys(settings),
            server(settings),
            settings.optional("metrics.token"),
            new ChatConfig(
                settings.integer("chat.max-messages", 1, 100_000),
                settings.integer("chat.max-tokens", 1, Integer.MAX_VALUE),
                settings.duration("chat.max-duration"),
                settings.durationOrZero("chat.sse-keep-alive"),
                settings.integer("chat.max-concurrent", 1, 100_000),
                settings.integer("chat.max-queued", 0, 100_000),
                settings.duration("chat.queue-timeout"),
                contentUrls(settings, "chat.content-urls")),
            documents(settings),
            database(settings),
            redis(settings),
            objectStore(settings),
            models.servers(),
            settings.duration("models.refresh"),
            local(settings),
            models.routes(),
            models.prices());
    if (config.modelServers().isEmpty() && config.local() == null) {
      settings.problem(
          "ollama.url",
          "names no model server, and neither providers nor a local model are given: set JARVIS_OLLAMA_URL, or"
              + " JARVIS_LOCAL_MODEL to the path of a GGUF file");
    }
    settings.check();
    return config;
  }

  private static ContentUrls.Mode contentUrls(Settings settings, String key) {
    return ContentUrls.Mode.of(settings.text(key))
        .orElseGet(
            () -> {
              settings.problem(key, "is not refuse, public or pass");
              return ContentUrls.Mode.REFUSE;
            });
  }

  private static Server server(Settings settings) {
    String host = settings.text("server.host");
    int port = settings.integer("server.port", 0, 65_535);
    String instance = settings.optional("server.instance");
    int maxBodyBytes = settings.integer("server.max-body-bytes", 1_024, 1 << 30);
    return new Server(
        host,
        port,
        instance == null ? host + ":" + port : instance,
        maxBodyBytes,
        bodyBudget(settings, maxBodyBytes),
        settings.integer("server.max-json-depth", 4, 1_000),
        settings.integer("server.max-connections", 1, 1_000_000),
        settings.duration("server.idle-timeout"),
        settings.duration("server.head-timeout"),
        settings.duration("server.body-timeout"),
        settings.duration("server.write-timeout"),
        settings.duration("server.shutdown-grace"),
        trustedProxies(settings));
  }

  /** A body of plain text must fit into one user's half of it, with its bytes and its tree. */
  private static long bodyBudget(Settings settings, int maxBodyBytes) {
    long budget = settings.bytes("server.body-budget");
    long least = 8L * maxBodyBytes;
    if (budget != 0 && budget < least) {
      settings.problem(
          "server.body-budget",
          "is too small: the minimum is 8 times server.max-body-bytes, %d, or 0 for a quarter of the heap"
              .formatted(least));
    }
    return budget;
  }

  private static TrustedProxies trustedProxies(Settings settings) {
    try {
      return TrustedProxies.of(settings.list("server.trusted-proxies"));
    } catch (IllegalArgumentException e) {
      settings.problem(
          "server.trusted-proxies",
          "must be addresses and CIDR blocks with commas between: " + e.getMessage());
      return TrustedProxies.of(List.of());
    }
  }

  private static List<HashedKey> apiKeys(Settings settings) {
    List<HashedKey> keys = new ArrayList<>();
    String admin = settings.optional("api-key");
    if (admin != null) {
      if (admin.length() < LEAST_KEY_CHARS) {
        settings.problem(
            "api-key", "is too short: the minimum is %d characters".formatted(LEAST_KEY_CHARS));
      }
      keys.add(ApiKeys.admin(admin));
    }
    for (String key : settings.list("api-keys")) {
      Matcher matcher = HASHED_KEY.matcher(key);
      if (matcher.matches()) {
        keys.add(new HashedKey(matcher.group(1), matcher.group(2)));
      } else {
        settings.problem(
            "api-keys",
            "must be USER:SHA256 pairs with commas between, the hash in 64 lower-case hex digits");
      }
    }
    return keys;
  }

  private static DocumentConfig documents(Settings settings) {
    int uploads = settings.integer("documents.max-uploads", 1, 10_000);
    int searches = settings.integer("documents.max-searches", 1, 999);
    int queued = settings.integer("documents.max-queued", 0, 100_000);
    Duration queueTimeout = settings.duration("documents.queue-timeout");
    if (searches >= settings.integer("database.pool-size", 1, 1_000)) {
      settings.problem(
          "documents.max-searches",
          "leaves no connection to others: it must be below database.pool-size");
    }
    return new DocumentConfig(
        settings.integer("documents.max-file-bytes", 1_024, 1 << 30),
        settings.integer("documents.max-files", 1, 10_000_000),
        settings.integer("documents.max-user-mib", 1, 1 << 30),
        settings.duration("documents.upload-timeout"),
        settings.integer("documents.workers", 0, 256),
        settings.duration("documents.lease"),
        settings.integer("documents.max-attempts", 1, 1_000),
        settings.duration("documents.first-retry"),
        settings.duration("documents.longest-retry"),
        new ExtractLimits(
            settings.integer("documents.max-chars", 1_000, 1 << 28),
            settings.integer("documents.max-pages", 1, 1_000_000),
            settings.integer("documents.extract-memory-mib", 64, 65_536),
            settings.duration("documents.extract-timeout")),
        settings.integer("documents.chunk-tokens", 32, 8_192),
        settings.text("documents.text-search"),
        settings.optional("documents.embedding-model"),
        settings.integer("documents.context-tokens", 32, 1_000_000),
        new Admission.Limits(uploads, (uploads + 1) / 2, queued, queueTimeout),
        new Admission.Limits(searches, queued, queueTimeout));
  }

  private static DatabaseConfig database(Settings settings) {
    String url = settings.optional("database.url");
    String problem = url == null ? null : DatabaseConfig.problem(url);
    if (problem != null) {
      settings.problem("database.url", problem);
    }
    return new DatabaseConfig(
        url,
        settings.optional("database.username"),
        settings.optional("database.password"),
        settings.integer("database.pool-size", 1, 1_000),
        settings.duration("database.connect-timeout"),
        settings.duration("database.query-timeout"));
  }

  private static RedisConfig redis(Settings settings) {
    String url = settings.optional("redis.url");
    if (url != null && !isRedisUrl(url)) {
      settings.problem("redis.url", "is not a redis:// or rediss:// URL");
    }
    return new RedisConfig(
        url, settings.optional("redis.password"), settings.duration("redis.command-timeout"));
  }

  private static boolean isRedisUrl(String url) {
    try {
      return url.matches("rediss?://.+") && RedisURI.create(url).getHost() != null;
    } catch (IllegalArgumentException e) {
      return false; // its message has the whole URL in it, and the password
    }
  }

  private static ObjectStoreConfig objectStore(Settings settings) {
    URI endpoint = settings.httpUri("s3.endpoint");
    String accessKey = settings.optional("s3.access-key");
    String secretKey = settings.optional("s3.secret-key");
    if (endpoint != null && accessKey == null) {
      settings.problem("s3.access-key", "is needed with s3.endpoint");
    }
    if (endpoint != null && secretKey == null) {
      settings.problem("s3.secret-key", "is needed with s3.endpoint");
    }
    return new ObjectStoreConfig(
        endpoint == null ? null : endpoint.toString(),
        accessKey,
        secretKey,
        settings.text("s3.bucket"),
        settings.duration("s3.timeout"));
  }

  private static @Nullable LocalConfig local(Settings settings) {
    int contextTokens = settings.integer("local.context-tokens", 128, 1 << 20);
    int threads = settings.integer("local.threads", 0, 1_024);
    int queueLimit = settings.integer("local.queue-limit", 1, 10_000);
    Duration queueTimeout = settings.duration("local.queue-timeout");
    int maxTokens = settings.integer("local.max-tokens", 1, 1 << 20);
    if (settings.optional("local.model") == null) {
      return null;
    }
    Path file = settings.path("local.model");
    if (!Files.isReadable(file)) {
      settings.problem("local.model", "is not a file that can be read");
    }
    return new LocalConfig(
        file,
        settings.optional("local.name"),
        contextTokens,
        threads,
        queueLimit,
        queueTimeout,
        maxTokens);
  }
}
