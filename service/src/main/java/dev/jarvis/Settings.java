package dev.jarvis;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.text.similarity.LevenshteinDistance;
import org.jspecify.annotations.Nullable;

/**
 * The configuration as text: the built-in application.yaml, over it the file that JARVIS_CONFIG
 * names, over it the environment. A key with {@code _} in application.yaml stands for any number of
 * entries, each under a name or an index of its own. Reading a value notes what is wrong with it
 * and goes on, so that {@link #check} can tell everything at once.
 */
final class Settings {
  private static final String PREFIX = "JARVIS_";

  /**
   * Variables of our scripts, which the service does not read, and of Kubernetes' service links.
   */
  private static final Pattern FOREIGN =
      Pattern.compile(
          "JARVIS_(CONFIG|CACHE|STACK_.*|E2E_.*|(.*_)?SERVICE_(HOST|PORT.*)|(.*_)?PORT(_\\d+_.*)?)");

  private static final Duration LONGEST = Duration.ofDays(30);
  private static final Pattern ZERO = Pattern.compile("0(ms|s|m|h)?|PT0S");
  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

  /** Stands in a key for the name of an entry. */
  private static final String ANY = "_";

  private final Map<String, String> defaults;
  private final Map<String, String> values;
  private final Map<String, String> sources = new HashMap<>();
  private final List<String> problems = new ArrayList<>();

  private Settings(Map<String, String> defaults) {
    this.defaults = defaults;
    this.values = new TreeMap<>();
    defaults.forEach(
        (key, value) -> {
          if (!isTemplate(key)) {
            values.put(key, value);
          }
        });
  }

  static Settings load(Map<String, String> environment) {
    Settings settings =
        new Settings(yaml(Config.just(ConfigSources.classpath("application.yaml"))));
    String file = environment.get(PREFIX + "CONFIG");
    if (file != null) {
      settings.addFile(Path.of(file));
    }
    settings.addEnvironment(environment);
    return settings;
  }

  private static Map<String, String> yaml(Config config) {
    return config.asMap().orElse(Map.of());
  }

  private static boolean isTemplate(String key) {
    return List.of(key.split("\\.", -1)).contains(ANY);
  }

  /** Whether application.yaml has the key, or one that stands for it. */
  private boolean known(String key) {
    return defaults.keySet().stream().anyMatch(it -> matches(it, key));
  }

  private static boolean matches(String template, String key) {
    String[] ours = template.split("\\.", -1);
    String[] theirs = key.split("\\.", -1);
    if (ours.length != theirs.length) {
      return false;
    }
    for (int i = 0; i < ours.length; i++) {
      if (!ours[i].equals(ANY) && !ours[i].equals(theirs[i])) {
        return false;
      }
    }
    return true;
  }

  private void addFile(Path file) {
    if (!Files.isReadable(file)) {
      problems.add("JARVIS_CONFIG: cannot read the file " + file);
      return;
    }
    Map<String, String> given;
    try {
      given = yaml(Config.just(ConfigSources.file(file)));
    } catch (RuntimeException e) {
      problems.add("JARVIS_CONFIG: " + file + " is not YAML that can be read: " + e.getMessage());
      return;
    }
    given.forEach(
        (key, value) -> {
          if (known(key)) {
            put(key, value, key + " in " + file);
          } else {
            problems.add(
                "%s: unknown key %s; did you mean %s?"
                    .formatted(file, key, nearest(key, defaults.keySet())));
          }
        });
  }

  private void addEnvironment(Map<String, String> environment) {
    // also the file's own entries: so that a provider's key need not stand in the file
    Map<String, String> keys = new TreeMap<>();
    values.keySet().forEach(key -> keys.put(variable(key), key));
    defaults.keySet().stream()
        .filter(Settings::isTemplate)
        .forEach(template -> names(template).forEach(key -> keys.putIfAbsent(variable(key), key)));
    environment.forEach(
        (name, value) -> {
          String fileOf = name.endsWith("_FILE") ? name.substring(0, name.length() - 5) : "";
          String key = keys.get(name);
          String keyOfFile = keys.get(fileOf);
          if (key != null) {
            put(key, value, name);
          } else if (keyOfFile != null) {
            if (environment.containsKey(fileOf)) {
              problems.add("%s and %s: give one of them".formatted(fileOf, name));
            }
            putContent(keyOfFile, value, name);
          } else if (name.startsWith(PREFIX) && !FOREIGN.matcher(name).matches()) {
            problems.add(
                "%s: unknown variable; did you mean %s?"
                    .formatted(name, nearest(name, keys.keySet())));
          }
        });
  }

  private void putContent(String key, String file, String source) {
    try {
      put(key, Files.readString(Path.of(file)).strip(), source);
    } catch (IOException | IllegalArgumentException e) {
      problems.add("%s: cannot read the file %s".formatted(source, file));
    }
  }

  private void put(String key, String value, String source) {
    values.put(key, value);
    sources.put(key, source);
  }

  static String variable(String key) {
    return PREFIX + key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]+", "_");
  }

  private static String nearest(String name, Set<String> known) {
    LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
    return known.stream()
        .min(Comparator.comparingInt((String it) -> distance.apply(name, it)))
        .orElseThrow();
  }

  /** The keys that a template stands for, one for each entry that has any value. */
  private List<String> names(String template) {
    int at = template.indexOf("." + ANY);
    String rest = template.substring(at + 2);
    List<String> keys = new ArrayList<>();
    for (String entry : entries(template.substring(0, at))) {
      String key = template.substring(0, at + 1) + entry + rest;
      keys.addAll(isTemplate(key) ? names(key) : List.of(key));
    }
    return keys;
  }

  /** The names of the entries below a key, or their indexes in order. */
  List<String> entries(String key) {
    return values.keySet().stream()
        .filter(it -> it.startsWith(key + "."))
        .map(it -> it.substring(key.length() + 1).split("\\.", 2)[0])
        .distinct()
        .sorted(Comparator.comparingInt(Settings::index).thenComparing(it -> it))
        .toList();
  }

  private static int index(String entry) {
    return entry.matches("\\d{1,6}") ? Integer.parseInt(entry) : 0;
  }

  /** The value as text, empty where none is given. */
  String text(String key) {
    String value = values.get(key);
    if (value == null) {
      value =
          defaults.entrySet().stream()
              .filter(it -> matches(it.getKey(), key))
              .map(Map.Entry::getValue)
              .findFirst()
              .orElseThrow(() -> new IllegalArgumentException("not in application.yaml: " + key));
    }
    return value.strip();
  }

  @Nullable String optional(String key) {
    String value = text(key);
    return value.isEmpty() ? null : value;
  }

  /** Values with commas between; none where none is given. */
  List<String> list(String key) {
    String value = text(key);
    return value.isEmpty()
        ? List.of()
        : Arrays.stream(value.split(",", -1)).map(String::strip).toList();
  }

  int integer(String key, int least, int most) {
    try {
      int value = Integer.parseInt(text(key));
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    problem(key, "is not a whole number from %d to %d".formatted(least, most));
    return least;
  }

  /** A number of bytes from 0 on. */
  long bytes(String key) {
    try {
      long value = Long.parseLong(text(key));
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    problem(key, "is not a whole number from 0 on");
    return 0;
  }

  /** An amount of money from 0 on. */
  BigDecimal amount(String key) {
    try {
      BigDecimal value = new BigDecimal(text(key));
      if (value.signum() >= 0 && value.compareTo(BigDecimal.valueOf(1e9)) < 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    problem(key, "is not an amount from 0 on, such as 0.15");
    return BigDecimal.ZERO;
  }

  /** A time above zero, or zero where the value is {@code 0}. */
  Duration durationOrZero(String key) {
    return ZERO.matcher(text(key)).matches() ? Duration.ZERO : duration(key);
  }

  /** A time above zero. */
  Duration duration(String key) {
    String value = text(key);
    Matcher matcher = DURATION.matcher(value);
    Duration duration = Duration.ZERO;
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            default -> Duration.ofHours(amount);
          };
    } else {
      try {
        duration = Duration.parse(value);
      } catch (DateTimeParseException e) {
        // told below
      }
    }
    if (!duration.isPositive() || duration.compareTo(LONGEST) > 0) {
      problem(
          key,
          "is not a time above zero, and of 30 days at most, such as 500ms, 30s, 10m or PT30S");
      return Duration.ofSeconds(1);
    }
    return duration;
  }

  @Nullable URI httpUri(String key) {
    String value = optional(key);
    if (value == null) {
      return null;
    }
    try {
      URI uri = new URI(value);
      if (("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
          && uri.getHost() != null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // told below
    }
    problem(key, "is not an http:// or https:// URL");
    return null;
  }

  /** A path; {@code ~} at its beginning is the user's home. */
  Path path(String key) {
    return Path.of(
        text(key)
            .replaceFirst("^~(?=/|$)", Matcher.quoteReplacement(System.getProperty("user.home"))));
  }

  /** Notes what is wrong with a value, under the name it was given by; secrets are not repeated. */
  void problem(String key, String complaint) {
    // a URL may have a password in it
    boolean secret = key.matches(".*(password|key|token|keys|url|endpoint)");
    String shown = secret ? "the value" : "\"" + text(key) + "\"";
    problems.add("%s: %s %s".formatted(sources.getOrDefault(key, variable(key)), shown, complaint));
  }

  /**
   * Ends the reading.
   *
   * @throws ConfigException if anything was wrong
   */
  void check() throws ConfigException {
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
  }
}
