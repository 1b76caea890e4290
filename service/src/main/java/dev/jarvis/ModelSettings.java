package dev.jarvis;

import dev.jarvis.JarvisConfig.ModelServer;
import dev.jarvis.gateway.cache.CachePolicy;
import dev.jarvis.gateway.cache.CachePolicy.Scope;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.ollama.OllamaProvider;
import dev.jarvis.routing.Prices;
import dev.jarvis.routing.Prices.Name;
import dev.jarvis.routing.Prices.Price;
import dev.jarvis.routing.Route;
import dev.jarvis.routing.Strategy;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads who runs models, the routes to them, and what they cost. */
final class ModelSettings {
  /** Labels of metrics, parts of variables' names. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");

  /** A field of a request's body. */
  private static final Pattern FIELD = Pattern.compile("[\\w-]{1,64}");

  private static final Set<String> NEEDED_FIELDS = Set.of("model", "messages", "input");
  private static final int MAX_NAME = 200;
  private static final Set<String> BUILT_IN = Set.of("ollama", "local");

  /** What switches a built-in provider on. */
  private static final Map<String, String> NEEDED =
      Map.of("ollama", "ollama.url", "local", "local.model");

  private final Settings settings;

  /** The names that prices may use: a price may stand there for a provider that is not set up. */
  private final Set<String> providers = new HashSet<>(BUILT_IN);

  ModelSettings(Settings settings) {
    this.settings = settings;
  }

  List<ModelServer> servers() {
    List<ModelServer> servers = new ArrayList<>();
    server("ollama", "ollama", OllamaProvider.FACTORY, servers);
    for (String name : settings.entries("providers")) {
      String key = "providers." + name;
      if (!NAME.matcher(name).matches()) {
        settings.problem(
            key + ".type",
            "belongs to a provider whose name is not made of up to 32 lower-case letters, digits and \"-\"");
      } else if (!providers.add(name)) {
        settings.problem(
            key + ".type", "belongs to a provider whose name is built in: choose another");
      }
      ProviderFactory kind = kind(key + ".type");
      if (settings.optional(key + ".url") == null) {
        settings.problem(key + ".url", "is needed: where the provider is");
      }
      server(key, name, kind, servers);
    }
    return servers;
  }

  private ProviderFactory kind(String key) {
    String type = settings.text(key);
    List<ProviderFactory> kinds = Jarvis.PROVIDERS;
    return kinds.stream()
        .filter(it -> it.type().equals(type))
        .findFirst()
        .orElseGet(
            () -> {
              settings.problem(
                  key,
                  "is not "
                      + kinds.stream()
                          .map(ProviderFactory::type)
                          .collect(Collectors.joining(" or ")));
              return kinds.getFirst();
            });
  }

  private void server(String key, String name, ProviderFactory kind, List<ModelServer> servers) {
    URI url = settings.httpUri(key + ".url");
    String apiKey = BUILT_IN.contains(key) ? null : settings.optional(key + ".api-key");
    Duration connect = settings.duration(key + ".connect-timeout");
    Duration firstToken = settings.duration(key + ".first-token-timeout");
    Duration betweenTokens = settings.duration(key + ".between-tokens-timeout");
    Duration answer = settings.duration(key + ".answer-timeout");
    Duration list = settings.duration(key + ".list-timeout");
    boolean alwaysStreams = alwaysStreams(key + ".ask");
    if (url != null) {
      servers.add(
          new ModelServer(
              kind,
              new ModelServerConfig(
                  name,
                  url,
                  apiKey,
                  connect,
                  firstToken,
                  betweenTokens,
                  answer,
                  list,
                  alwaysStreams),
              BUILT_IN.contains(key) ? FieldPolicy.DEFAULT : fields(key)));
    }
  }

  private boolean alwaysStreams(String key) {
    String ask = settings.text(key);
    if (!ask.equals("as-asked") && !ask.equals("stream")) {
      settings.problem(key, "is not as-asked or stream");
    }
    return ask.equals("stream");
  }

  private FieldPolicy fields(String key) {
    Set<String> allowed = fieldNames(key + ".allow-fields");
    Set<String> denied = fieldNames(key + ".deny-fields");
    for (String field : denied) {
      if (allowed.contains(field)) {
        settings.problem(
            key + ".deny-fields", "has %s, which allow-fields has too".formatted(field));
      }
      if (NEEDED_FIELDS.contains(field)) {
        settings.problem(key + ".deny-fields", "has %s, which every request has".formatted(field));
      }
    }
    return new FieldPolicy(allowed, denied);
  }

  private Set<String> fieldNames(String key) {
    Set<String> names = new TreeSet<>();
    String text = settings.text(key);
    for (String name : text.isEmpty() ? new String[0] : text.split(",", -1)) {
      if (FIELD.matcher(name.strip()).matches()) {
        names.add(name.strip());
      } else {
        settings.problem(key, "must be names of fields with commas between");
      }
    }
    return names;
  }

  List<Route> routes() {
    List<Route> routes = new ArrayList<>();
    for (String entry : settings.entries("routes")) {
      String key = "routes." + entry;
      List<Route.Target> targets = new ArrayList<>();
      for (String target : settings.entries(key + ".targets")) {
        String at = key + ".targets." + target;
        String provider = provider(at);
        String needed = NEEDED.get(provider);
        if (needed != null && settings.optional(needed) == null) {
          settings.problem(
              at + ".provider",
              "is not configured: set %s (%s)".formatted(needed, Settings.variable(needed)));
        }
        targets.add(
            new Route.Target(
                provider,
                model(at),
                settings.integer(at + ".weight", 1, 1_000_000),
                settings.integer(at + ".priority", 1, 1_000_000)));
      }
      Strategy strategy = strategy(key + ".strategy");
      CachePolicy cache =
          new CachePolicy(scope(key + ".cache"), settings.duration(key + ".cache-ttl"));
      if (targets.isEmpty()) {
        settings.problem(key + ".strategy", "belongs to a route without targets");
      } else {
        routes.add(new Route(name(key, routes), strategy, targets, cache));
      }
    }
    return routes;
  }

  private String name(String key, List<Route> others) {
    String name = settings.text(key + ".name");
    if (name.isEmpty() || name.length() > MAX_NAME) {
      settings.problem(key + ".name", "is not a name of 1 to %d characters".formatted(MAX_NAME));
    } else if (others.stream().anyMatch(it -> it.name().equals(name))) {
      settings.problem(key + ".name", "is the name of another route too");
    }
    return name;
  }

  private Strategy strategy(String key) {
    return Strategy.of(settings.text(key))
        .orElseGet(
            () -> {
              settings.problem(
                  key,
                  "is none of "
                      + Arrays.stream(Strategy.values())
                          .map(Strategy::id)
                          .collect(Collectors.joining(", ")));
              return Strategy.PRIORITY;
            });
  }

  private Scope scope(String key) {
    String scope = settings.text(key);
    return Arrays.stream(Scope.values())
        .filter(it -> it.name().toLowerCase(Locale.ROOT).equals(scope))
        .findFirst()
        .orElseGet(
            () -> {
              settings.problem(key, "is not off, user or shared");
              return Scope.OFF;
            });
  }

  private String provider(String key) {
    String provider = settings.text(key + ".provider");
    if (!providers.contains(provider)) {
      settings.problem(
          key + ".provider",
          "is no provider; there are "
              + providers.stream().sorted().collect(Collectors.joining(", ")));
    }
    return provider;
  }

  private String model(String key) {
    String model = settings.text(key + ".model");
    if (model.isEmpty() || model.length() > MAX_NAME) {
      settings.problem(key + ".model", "is not the name of a model");
    }
    return model;
  }

  Prices prices() {
    List<Price> prices = new ArrayList<>();
    for (String entry : settings.entries("prices")) {
      String key = "prices." + entry;
      BigDecimal input = settings.amount(key + ".input");
      @Nullable String cached = settings.optional(key + ".cached-input");
      prices.add(
          new Price(
              new Name(provider(key), model(key)),
              from(key + ".from"),
              input,
              cached == null ? input : settings.amount(key + ".cached-input"),
              settings.amount(key + ".output"),
              hour(key),
              compareWith(key + ".compare-with")));
    }
    Set<Name> priced = prices.stream().map(Price::name).collect(Collectors.toSet());
    for (int i = 0; i < prices.size(); i++) {
      Name other = prices.get(i).compareWith();
      if (other != null && !priced.contains(other)) {
        settings.problem("prices." + i + ".compare-with", "has no price");
      }
    }
    return new Prices(prices);
  }

  /** Of the machine, or of the current that it draws. */
  private BigDecimal hour(String key) {
    BigDecimal hour = settings.amount(key + ".hour");
    BigDecimal watts = settings.amount(key + ".watts");
    BigDecimal kwh = settings.amount(key + ".kwh");
    if (hour.signum() > 0 && watts.signum() > 0) {
      settings.problem(key + ".watts", "is given beside hour: give one of them");
    }
    if ((watts.signum() > 0) != (kwh.signum() > 0)) {
      settings.problem(key + ".kwh", "and watts are given together or not at all");
    }
    return hour.signum() > 0 ? hour : watts.multiply(kwh).movePointLeft(3);
  }

  private @Nullable Name compareWith(String key) {
    @Nullable String other = settings.optional(key);
    if (other == null) {
      return null;
    }
    Name name = Name.of(other).orElse(null);
    if (name == null) {
      settings.problem(key, "is not PROVIDER/MODEL");
    }
    return name;
  }

  private Instant from(String key) {
    try {
      return LocalDate.parse(settings.text(key)).atStartOfDay(ZoneOffset.UTC).toInstant();
    } catch (DateTimeParseException e) {
      settings.problem(key, "is not a day such as \"2026-11-24\", with its quotes");
      return Instant.EPOCH;
    }
  }
}
