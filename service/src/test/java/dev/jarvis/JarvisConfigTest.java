package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.jarvis.config.ConfigException;
import dev.jarvis.config.HttpUrl;
import dev.jarvis.config.Key;
import dev.jarvis.config.Secret;
import dev.jarvis.dialect.openai.ContentUrls;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.cache.CachePolicy;
import dev.jarvis.identity.ApiKeys;
import dev.jarvis.identity.jwt.IssuerConfig;
import dev.jarvis.price.Prices;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.routing.Route;
import dev.jarvis.routing.Strategy;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.ObjectStoreConfig;
import dev.jarvis.storage.RedisConfig;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JarvisConfigTest {
  private static final Map<String, String> LEAST =
      Map.of("JARVIS_OLLAMA_URL", "http://127.0.0.1:1");

  @Test
  void defaultsListenOnLoopbackWithEmbeddedStores() throws Exception {
    JarvisConfig config = JarvisConfig.load(LEAST);

    assertThat(config.home()).isEqualTo(Path.of(System.getProperty("user.home"), ".jarvis"));
    assertThat(config.server().host()).isEqualTo("127.0.0.1");
    assertThat(config.server().port()).isEqualTo(8000);
    assertThat(config.server().instanceName()).isEqualTo("127.0.0.1:8000");
    assertThat(config.server().trustedProxies()).isEmpty();
    assertThat(config.database().url()).isNull();
    assertThat(config.redis().url()).isNull();
    assertThat(config.s3().endpoint()).isNull();
    assertThat(config.keys().hashed()).isEmpty();
    assertThat(config.metrics().token()).isNull();
  }

  @Test
  void environmentWinsOverTheFileAndTheFileOverTheDefaults(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(file, "server:\n  port: 9001\n  host: 0.0.0.0\n");
    Path secret = folder.resolve("password");
    Files.writeString(secret, "s3cret\n");

    JarvisConfig config =
        JarvisConfig.load(
            Map.of(
                "JARVIS_CONFIG",
                file.toString(),
                "JARVIS_OLLAMA_URL",
                "http://ollama:11434",
                "JARVIS_SERVER_PORT",
                "9002",
                "JARVIS_DATABASE_PASSWORD_FILE",
                secret.toString(),
                "JARVIS_DATABASE_QUERY_TIMEOUT",
                "250ms",
                "JARVIS_API_KEYS",
                "alice:" + "0a".repeat(32)));

    assertThat(config.server().host()).isEqualTo("0.0.0.0");
    assertThat(config.server().port()).isEqualTo(9002);
    assertThat(config.database().password()).isEqualTo(new Secret("s3cret"));
    assertThat(config.database().queryTimeout()).isEqualTo(Duration.ofMillis(250));
    assertThat(config.keys().hashed())
        .containsExactly(new ApiKeys.HashedKey("alice", "0a".repeat(32)));
  }

  @Test
  void everyProblemIsReportedAtOnceAndNoSecretIsRepeated(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(file, "server:\n  prot: 1\n");

    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.ofEntries(
                        Map.entry("JARVIS_CONFIG", file.toString()),
                        Map.entry("JARVIS_SERVER_PORT", "70000"),
                        Map.entry("JARVIS_DATABSE_URL", "x"),
                        Map.entry("JARVIS_REDIS_URL", "redis://:hunter2^@x"),
                        Map.entry("JARVIS_CHAT_MAX_DURATION", "9999999h"),
                        Map.entry("JARVIS_SERVER_BODY_BUDGET", "33554431"),
                        Map.entry("JARVIS_DATABASE_POOL_SIZE", "4"),
                        Map.entry("JARVIS_SERVER_WRITE_TIMEOUT", "soon"),
                        Map.entry("JARVIS_API_KEYS", "alice:hunter2"),
                        Map.entry("JARVIS_S3_ENDPOINT", "http://minio:9000"),
                        Map.entry("JARVIS_SERVER_TRUSTED_PROXIES", "10.0.0.0/8,nginx"),
                        Map.entry("JARVIS_LOCAL_MODEL", "/nowhere.gguf"))))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("unknown key server.prot; did you mean server.port?")
        .hasMessageContaining(
            "JARVIS_SERVER_PORT: \"70000\" must be a whole number from 0 to 65535.")
        .hasMessageContaining(
            "JARVIS_DATABSE_URL: unknown variable; did you mean JARVIS_DATABASE_URL?")
        .hasMessageContaining("JARVIS_REDIS_URL: the value must be a redis:// or rediss:// URL.")
        .hasMessageContaining(
            "JARVIS_CHAT_MAX_DURATION: \"9999999h\" must be a duration between 1 ms and 30 days, such as 500ms, 30s or 10m.")
        .hasMessageContaining(
            "JARVIS_SERVER_BODY_BUDGET: \"33554431\" must be at least 33554432, 8 times server.max-body-bytes, or 0")
        .hasMessageContaining(
            "JARVIS_DOCUMENTS_MAX_SEARCHES: \"4\" must be below database.pool-size, 4,")
        .hasMessageContaining("JARVIS_SERVER_WRITE_TIMEOUT: \"soon\" must be a duration")
        .hasMessageContaining(
            "JARVIS_SERVER_TRUSTED_PROXIES: \"10.0.0.0/8,nginx\" must be a comma-separated list, each item an address or a CIDR block, such as 10.0.0.0/8 or ::1; the item \"nginx\" is invalid: 'nginx' is not an IP address.")
        .hasMessageContaining("JARVIS_S3_ACCESS_KEY: must be set, because s3.endpoint is.")
        .hasMessageContaining("JARVIS_S3_SECRET_KEY: must be set, because s3.endpoint is.")
        .hasMessageContaining("JARVIS_LOCAL_MODEL: \"/nowhere.gguf\" must be a readable file.")
        .hasMessageContaining(
            "JARVIS_API_KEYS: the value must be a comma-separated list, each item USER:SHA256")
        .hasMessageNotContaining("hunter2");
  }

  @Test
  void aKeyThatCouldBeGuessedIsRefused() {
    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of(
                        "JARVIS_OLLAMA_URL",
                        "http://x:1",
                        "JARVIS_API_KEY",
                        "a-key-of-thirty-one-letters-xxx")))
        .hasMessageContaining("JARVIS_API_KEY: the value must be at least 32 characters long.")
        .hasMessageNotContaining("thirty");
  }

  @Test
  void anIssuerIsConfiguredOnce(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        issuers:
          one: {issuer: "https://sso.example", audiences: a}
          two: {issuer: "https://sso.example", audiences: b}
        """);

    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of("JARVIS_CONFIG", file.toString(), "JARVIS_OLLAMA_URL", "http://x:1")))
        .hasMessageContaining("issuers.two.issuer")
        .hasMessageContaining("is the URL of another issuer too.");
  }

  /** Every record of the configuration, with every value that may hold a secret set to one. */
  @Test
  void noRecordPrintsASecret(@TempDir Path folder) throws Exception {
    String secret = "0".repeat(56) + "5ec2e700"; // also the hash of a key
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        providers: {cloud: {type: openai, url: "https://%s@cloud/v1"}}
        issuers: {cloud: {audiences: jarvis}}
        """
            .formatted(secret));
    Map<String, String> environment =
        Map.ofEntries(
            Map.entry("JARVIS_CONFIG", file.toString()),
            Map.entry("JARVIS_API_KEY", secret),
            Map.entry("JARVIS_API_KEYS", "alice:" + secret),
            Map.entry("JARVIS_ISSUERS_CLOUD_ISSUER", "https://%s@sso".formatted(secret)),
            Map.entry("JARVIS_ISSUERS_CLOUD_JWKS_URL", "https://%s@sso/keys".formatted(secret)),
            Map.entry("JARVIS_METRICS_TOKEN", secret),
            Map.entry("JARVIS_DATABASE_URL", "postgresql://u:%s@db/jarvis".formatted(secret)),
            Map.entry("JARVIS_DATABASE_PASSWORD", secret),
            Map.entry("JARVIS_REDIS_URL", "redis://:%s@redis".formatted(secret)),
            Map.entry("JARVIS_REDIS_PASSWORD", secret),
            Map.entry("JARVIS_S3_ENDPOINT", "https://%s@s3".formatted(secret)),
            Map.entry("JARVIS_S3_ACCESS_KEY", secret),
            Map.entry("JARVIS_S3_SECRET_KEY", secret),
            Map.entry("JARVIS_OLLAMA_URL", "http://%s@ollama:11434".formatted(secret)),
            Map.entry("JARVIS_PROVIDERS_CLOUD_API_KEY", secret));
    Map<Class<?>, String> printed = new LinkedHashMap<>();

    JarvisConfig config = JarvisConfig.load(environment);
    print(config, printed);
    print(config.modelServers(), printed);

    assertThat(JarvisConfig.keyList())
        .filteredOn(it -> it.value() != null && it.value().isSensitive())
        .extracting(it -> Key.variable(it.name().replace("._.", ".cloud.")))
        .as("each key that may hold a secret has one here")
        .isSubsetOf(
            Stream.concat(environment.keySet().stream(), Stream.of("JARVIS_PROVIDERS_CLOUD_URL"))
                .toList());

    assertThat(printed.keySet())
        .contains(
            JarvisConfig.class,
            ApiKeys.HashedKey.class,
            IssuerConfig.class,
            DatabaseConfig.class,
            RedisConfig.class,
            ObjectStoreConfig.class,
            ModelServerConfig.class,
            Secret.class,
            HttpUrl.class);
    assertThat(printed).allSatisfy((type, text) -> assertThat(text).doesNotContain("5ec2e700"));
  }

  /** A record and the records in its components, as they print themselves. */
  private static void print(Object value, Map<Class<?>, String> printed)
      throws ReflectiveOperationException {
    if (value instanceof Map<?, ?> map) {
      print(map.values(), printed);
    } else if (value instanceof Iterable<?> list && !(value instanceof Path)) {
      for (Object each : list) {
        print(each, printed);
      }
    } else if (value instanceof Record record) {
      printed.merge(record.getClass(), record.toString(), String::concat);
      for (RecordComponent component : record.getClass().getRecordComponents()) {
        component.getAccessor().setAccessible(true);
        print(component.getAccessor().invoke(record), printed);
      }
    }
  }

  @Test
  void aModelServerIsNeeded() {
    assertThatThrownBy(() -> JarvisConfig.load(Map.of()))
        .hasMessageContaining("JARVIS_OLLAMA_URL")
        .hasMessageContaining("JARVIS_LOCAL_MODEL");
  }

  @Test
  void theVersionIsTheBuilds() throws Exception {
    assertThat(Files.readString(Path.of("pom.xml")))
        .contains("<version>" + Jarvis.VERSION + "</version>");
  }

  @Test
  void kubernetesServiceLinksAreIgnored() throws Exception {
    JarvisConfig.load(
        Map.of(
            "JARVIS_OLLAMA_URL", "http://127.0.0.1:1",
            "JARVIS_SERVICE_HOST", "10.0.0.1",
            "JARVIS_PORT_8000_TCP", "tcp://10.0.0.1:8000"));
  }

  @Test
  void aMisspeltVariableIsRefusedAlsoIfItEndsLikeAServiceLink() {
    for (String misspelt : List.of("JARVIS_SERVER_PROT", "JARVIS_SERVR_PORT")) {
      assertThatThrownBy(
              () -> JarvisConfig.load(Map.of("JARVIS_OLLAMA_URL", "http://x:1", misspelt, "9000")))
          .hasMessageContaining(misspelt + ": unknown variable; did you mean JARVIS_SERVER_PORT?");
    }
  }

  @Test
  void theFileOfAVariableThatTakesNoneIsRefused() {
    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of(
                        "JARVIS_OLLAMA_URL", "http://x:1",
                        "JARVIS_CONFIG_FILE", "jarvis.yaml",
                        "JARVIS_API_KYE_FILE", "key")))
        .hasMessageContaining("JARVIS_CONFIG_FILE: unknown variable; did you mean JARVIS_CONFIG?")
        .hasMessageContaining(
            "JARVIS_API_KYE_FILE: unknown variable; did you mean JARVIS_API_KEY_FILE?");
  }

  @Test
  void aSecretKeepsItsBlanks() throws Exception {
    JarvisConfig config =
        JarvisConfig.load(
            Map.of("JARVIS_OLLAMA_URL", "http://x:1", "JARVIS_DATABASE_PASSWORD", " s3cret "));
    assertThat(config.database().password()).isEqualTo(Secret.parse(" s3cret "));
  }

  @Test
  void aPriceOfAMachineIsGivenOneWay(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        prices:
          - {provider: local, model: a, hour: 1, watts: 300, kwh: 0.2}
          - {provider: local, model: b, watts: 300}
          - {provider: local, model: c, watts: 300, kwh: 0.2, compare-with: local/a}
          - {provider: local, model: d, compare-with: nobody/x}
          - {provider: local, model: e, compare-with: x}
        """);

    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of("JARVIS_CONFIG", file.toString(), "JARVIS_OLLAMA_URL", "http://x:1")))
        .hasMessageContaining("4 problems")
        .hasMessageContaining("prices.0.watts in " + file + ": \"300\" must not be set together")
        .hasMessageContaining("prices.1.kwh in " + file + ": \"0\" must be set together with watts")
        .hasMessageContaining(
            "prices.3.compare-with in " + file + ": \"nobody/x\" must be a model that has a price.")
        .hasMessageContaining(
            "prices.4.compare-with in " + file + ": \"x\" must be PROVIDER/MODEL.");
  }

  @Test
  void providersRoutesAndPrices(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        providers:
          cloud: {type: openai, url: "https://models.example/v1", first-token-timeout: 30s, ask: stream}
        routes:
          - name: fast
            strategy: weighted
            cache: user
            cache-ttl: 5m
            targets:
              - {provider: cloud, model: large, weight: 3}
              - {provider: ollama, model: "small:1b"}
        prices:
          - {provider: cloud, model: large, input: 0.15, output: 0.6}
          - {provider: cloud, model: large, from: "2026-01-01", input: 0.1, cached-input: 0.05, output: 0.4}
        """);

    JarvisConfig config =
        JarvisConfig.load(
            Map.of(
                "JARVIS_CONFIG", file.toString(),
                "JARVIS_OLLAMA_URL", "http://ollama:11434",
                "JARVIS_PROVIDERS_CLOUD_API_KEY", "sk-cloud",
                "JARVIS_PROVIDERS_CLOUD_CONNECT_TIMEOUT", "3s",
                "JARVIS_MODELS_REFRESH", "1m",
                "JARVIS_OLLAMA_ANSWER_TIMEOUT", "2m",
                "JARVIS_PROVIDERS_CLOUD_ANSWER_TIMEOUT", "90s",
                "JARVIS_PROVIDERS_CLOUD_BETWEEN_TOKENS_TIMEOUT", "5s"));

    assertThat(config.modelServers())
        .extracting(it -> it.server().name())
        .containsExactly("ollama", "cloud");
    ModelServerConfig cloud = config.modelServers().get(1).server();
    assertThat(cloud.apiKey()).isEqualTo(new Secret("sk-cloud"));
    assertThat(cloud.timeouts().firstTokenTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(cloud.timeouts().betweenTokensTimeout()).isEqualTo(Duration.ofSeconds(5));
    assertThat(cloud.timeouts().connectTimeout()).isEqualTo(Duration.ofSeconds(3));
    assertThat(cloud.listTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(cloud.timeouts().answerTimeout()).isEqualTo(Duration.ofSeconds(90));
    assertThat(cloud.alwaysStreams()).isTrue();
    assertThat(config.modelServers().getFirst().server().timeouts().answerTimeout())
        .isEqualTo(Duration.ofMinutes(2));
    assertThat(config.models().refresh()).isEqualTo(Duration.ofMinutes(1));
    assertThat(cloud.toString()).doesNotContain("sk-cloud");
    Route route = config.routes().getFirst();
    assertThat(config.routes()).hasSize(1);
    assertThat(route.name()).isEqualTo("fast");
    assertThat(route.strategy()).isEqualTo(Strategy.WEIGHTED);
    assertThat(route.cache()).isEqualTo(CachePolicy.Scope.USER);
    assertThat(route.cacheTtl()).isEqualTo(Duration.ofMinutes(5));
    assertThat(route.targets())
        .extracting(
            Route.Target::provider,
            Route.Target::model,
            Route.Target::weight,
            Route.Target::priority)
        .containsExactly(tuple("cloud", "large", 3, 1), tuple("ollama", "small:1b", 1, 1));
    assertThat(Prices.of(config.prices()).of(new TargetName("cloud", "large")))
        .extracting(it -> String.valueOf(it.tokens().cachedInput()))
        .as("the newest first")
        .containsExactly("0.05", "null");
  }

  @Test
  void aBadRouteIsRefusedWithTheRest(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        providers:
          Cloud_1: {type: openai, url: "http://x/v1"}
          odd: {type: vllm}
        routes:
          - name: fast
            strategy: fastest
            targets: [{provider: nobody, model: m, weight: 0}, {provider: ollama}]
          - {name: empty}
          - {name: fast, targets: [{provider: ollama, model: m}]}
        prices:
          - {provider: ollama, model: m, from: soon, input: -1}
        providerz: {x: {type: openai}}
        """);

    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of("JARVIS_CONFIG", file.toString(), "JARVIS_OLLAMA_URL", "http://x:1")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("unknown key providerz.x.type; did you mean providers.x.type?")
        .hasMessageContaining(
            "providers.Cloud_1 in " + file + ": the name must be 1 to 32 lower-case letters")
        .hasMessageContaining(
            "providers.odd.type in " + file + ": \"vllm\" must be ollama or openai.")
        .hasMessageContaining(
            "providers.odd.url in " + file + ": must be an http:// or https:// URL.")
        .hasMessageContaining(
            "routes.0.strategy in "
                + file
                + ": \"fastest\" must be priority, weighted, least-busy, lowest-latency or lowest-cost.")
        .hasMessageContaining("\"nobody\" must be the name of a provider: ")
        .hasMessageContaining(
            "routes.0.targets.0.weight in " + file + ": \"0\" must be a whole number from 1")
        .hasMessageContaining(
            "routes.0.targets.1.model in " + file + ": must be 1 to 200 characters long.")
        .hasMessageContaining("routes.1.targets in " + file + ": must contain at least one target.")
        .hasMessageContaining(
            "routes.2.name in " + file + ": \"fast\" is already the name of another")
        .hasMessageContaining("prices.0.from in " + file + ": \"soon\" must be a date in quotes")
        .hasMessageContaining(
            "prices.0.input in " + file + ": \"-1\" must be an amount of at least 0");
  }

  @Test
  void aRouteToABuiltInProviderThatIsNotConfiguredIsRefused(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        providers:
          cloud: {type: openai, url: "https://models.example/v1"}
        routes:
          - {name: a, targets: [{provider: ollama, model: m}, {provider: cloud, model: m}]}
          - {name: b, targets: [{provider: local, model: m}]}
        prices:
          - {provider: ollama, model: m, input: 1}
        """);

    assertThatThrownBy(() -> JarvisConfig.load(Map.of("JARVIS_CONFIG", file.toString())))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("routes.0.targets.0.provider in " + file)
        .hasMessageContaining("is not configured: set ollama.url (JARVIS_OLLAMA_URL)")
        .hasMessageContaining("routes.1.targets.0.provider in " + file)
        .hasMessageContaining("is not configured: set local.model (JARVIS_LOCAL_MODEL)")
        .hasMessageNotContaining("routes.0.targets.1")
        .hasMessageNotContaining("prices");
  }

  @Test
  void refusesTargetsThatAreNotAmongTheNamedModels(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        ollama: {url: "http://127.0.0.1:1", models: "a:latest, b:1b"}
        providers:
          cloud: {type: openai, url: "https://models.example/v1", models: "sonar"}
          bad: {type: openai, url: "https://models.example/v1", models: "a,,b"}
        routes:
          - {name: a, targets: [{provider: ollama, model: b:1b}, {provider: cloud, model: sonar}]}
          - {name: b, targets: [{provider: ollama, model: c}, {provider: cloud, model: gpt}]}
        """);

    assertThatThrownBy(() -> JarvisConfig.load(Map.of("JARVIS_CONFIG", file.toString())))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("routes.1.targets.0.model in " + file)
        .hasMessageContaining("must be one of the models that ollama.models names")
        .hasMessageContaining("routes.1.targets.1.model in " + file)
        .hasMessageContaining("must be one of the models that providers.cloud.models names")
        .hasMessageContaining("providers.bad.models in " + file)
        .hasMessageNotContaining("routes.0");
  }

  @Test
  void fieldsOfRequestsAndUrlsInMessages(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        chat: {content-urls: refuse}
        providers:
          cloud: {type: openai, url: "https://models.example/v1", allow-fields: "api_version, X-y", deny-fields: top_k}
        """);

    JarvisConfig config = JarvisConfig.load(Map.of("JARVIS_CONFIG", file.toString()));

    assertThat(config.chat().contentUrls()).isEqualTo(ContentUrls.Mode.REFUSE);
    assertThat(config.modelServers().getFirst().server().fields())
        .isEqualTo(new FieldPolicy(Set.of("api_version", "x_y"), Set.of("top_k")));
    JarvisConfig defaults = JarvisConfig.load(LEAST);
    assertThat(defaults.chat().contentUrls()).isEqualTo(ContentUrls.Mode.PUBLIC);
    assertThat(defaults.modelServers().getFirst().server().fields()).isEqualTo(FieldPolicy.DEFAULT);
  }

  @Test
  void modelServersAreAskedAsClientsAskUnlessAStreamIsWanted() throws Exception {
    ModelServerConfig defaults = JarvisConfig.load(LEAST).modelServers().getFirst().server();
    assertThat(defaults.alwaysStreams()).isFalse();
    assertThat(defaults.timeouts().answerTimeout()).isEqualTo(Duration.ofMinutes(10));

    ModelServerConfig streaming =
        JarvisConfig.load(Map.of("JARVIS_OLLAMA_URL", "http://x:1", "JARVIS_OLLAMA_ASK", "stream"))
            .modelServers()
            .getFirst()
            .server();
    assertThat(streaming.alwaysStreams()).isTrue();

    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of(
                        "JARVIS_OLLAMA_URL", "http://x:1",
                        "JARVIS_OLLAMA_ASK", "whole",
                        "JARVIS_OLLAMA_ANSWER_TIMEOUT", "0s")))
        .hasMessageContaining("JARVIS_OLLAMA_ASK: \"whole\" must be as-asked or stream.")
        .hasMessageContaining("JARVIS_OLLAMA_ANSWER_TIMEOUT");
  }

  @Test
  void streamsAreKeptAliveUnlessThatIsOff() throws Exception {
    assertThat(JarvisConfig.load(LEAST).chat().sseKeepAlive()).isEqualTo(Duration.ofSeconds(15));
    Map<String, String> off =
        Map.of("JARVIS_OLLAMA_URL", "http://x:1", "JARVIS_CHAT_SSE_KEEP_ALIVE", "0");
    assertThat(JarvisConfig.load(off).chat().sseKeepAlive()).isZero();
    assertThatThrownBy(
            () ->
                JarvisConfig.load(
                    Map.of("JARVIS_OLLAMA_URL", "http://x:1", "JARVIS_CHAT_SSE_KEEP_ALIVE", "-1s")))
        .hasMessageContaining("JARVIS_CHAT_SSE_KEEP_ALIVE");
  }

  @Test
  void badFieldsOfRequestsAreRefused(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        """
        chat: {content-urls: maybe}
        providers:
          a: {type: openai, url: "https://a.example/v1", allow-fields: "x,,y"}
          b: {type: openai, url: "https://b.example/v1", allow-fields: "x", deny-fields: "x,messages"}
        """);

    assertThatThrownBy(() -> JarvisConfig.load(Map.of("JARVIS_CONFIG", file.toString())))
        .hasMessageContaining("\"maybe\" must be refuse, public or pass.")
        .hasMessageContaining("\"x,,y\" must be comma-separated field names")
        .hasMessageContaining("\"x,messages\" must not contain x, which allow-fields contains.")
        .hasMessageContaining(
            "\"x,messages\" must not contain messages, which every request needs.");
  }
}
