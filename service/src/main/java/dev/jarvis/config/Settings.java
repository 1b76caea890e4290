package dev.jarvis.config;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;
import org.jspecify.annotations.Nullable;

/** The values that were set, by key: in the environment, or else in the file. */
final class Settings {
  private static final String FILE = "_FILE";
  private static final Pattern PLACE = Pattern.compile("line \\d+, column \\d+");

  private final List<Key> keys;
  private final Map<String, String> values = new TreeMap<>();
  private final Map<String, String> sources = new HashMap<>();
  private final List<String> problems = new ArrayList<>();
  private String file = "";

  Settings(List<Key> keys) {
    this.keys = keys.stream().filter(it -> it.value() != null).toList();
  }

  void addFile(Path path) {
    if (!Files.isReadable(path)) {
      problems.add("JARVIS_CONFIG: cannot read the file " + path);
      return;
    }
    try {
      add(Config.just(ConfigSources.file(path)).asMap().orElse(Map.of()), path.toString());
    } catch (RuntimeException e) {
      problems.add("JARVIS_CONFIG: %s is not valid YAML%s.".formatted(path, place(e)));
    }
  }

  /** Where the file is wrong. The rest of the message quotes the file, and perhaps a secret. */
  private static String place(RuntimeException e) {
    return PLACE
        .matcher(String.valueOf(e.getMessage()))
        .results()
        .reduce((first, last) -> last)
        .map(it -> " at " + it.group())
        .orElse("");
  }

  /** Adds values by key, as a file gives them. */
  void add(Map<String, String> given, String name) {
    file = name;
    given.forEach(
        (key, value) -> {
          if (declared(key) != null) {
            put(key, value, key + " in " + name);
          } else {
            problems.add(
                "%s: unknown key %s; did you mean %s?"
                    .formatted(name, key, nearest(key, keys.stream().map(it -> it.filled(key)))));
          }
        });
  }

  void addEnvironment(Map<String, String> environment) {
    Map<String, String> variables = variables();
    environment.forEach(
        (name, value) -> {
          if (!name.startsWith(Key.PREFIX) || ForeignVariables.contains(name, environment)) {
            return;
          }
          String valueName = withoutFile(name);
          String key = variables.get(valueName);
          if (key == null) {
            problems.add(
                "%s: unknown variable; did you mean %s?"
                    .formatted(name, suggestion(name, variables.keySet())));
          } else if (valueName.equals(name)) {
            put(key, value, name);
          } else if (environment.containsKey(valueName)) {
            problems.add("%s and %s: set only one of them.".formatted(valueName, name));
          } else {
            putContent(key, value, name);
          }
        });
  }

  private static String withoutFile(String name) {
    return name.endsWith(FILE) ? name.substring(0, name.length() - FILE.length()) : name;
  }

  /** The variable that an unknown one most resembles; only those of keys have a file form. */
  private static String suggestion(String name, Set<String> variables) {
    if (ForeignVariables.OF_SCRIPTS.contains(withoutFile(name))) {
      return withoutFile(name);
    }
    Stream<String> ofKeys = variables.stream();
    if (name.endsWith(FILE)) {
      ofKeys = ofKeys.flatMap(it -> Stream.of(it, it + FILE));
    }
    return nearest(name, Stream.concat(ofKeys, ForeignVariables.OF_SCRIPTS.stream()));
  }

  /** The variables and their keys, also those of the entries in the file. */
  private Map<String, String> variables() {
    Map<String, String> variables = new TreeMap<>();
    for (Key key : keys) {
      actual(key.name()).forEach(it -> variables.put(Key.variable(it), it));
    }
    return variables;
  }

  /** The key for each entry that the file has. */
  private List<String> actual(String template) {
    int at = template.indexOf("." + Key.ANY + ".");
    if (at < 0) {
      return List.of(template);
    }
    String parent = template.substring(0, at);
    return entries(parent).stream()
        .flatMap(it -> actual(parent + "." + it + template.substring(at + 2)).stream())
        .toList();
  }

  private void putContent(String key, String path, String source) {
    try {
      put(key, Files.readString(Path.of(path)).strip(), source);
    } catch (IOException | IllegalArgumentException e) {
      problems.add("%s: cannot read the file %s".formatted(source, path));
    }
  }

  private void put(String key, String value, String source) {
    // a secret may begin or end with a blank
    values.put(key, isSensitive(declared(key)) ? value : value.strip());
    sources.put(key, source);
  }

  private @Nullable Key declared(String key) {
    return keys.stream().filter(it -> it.matches(key)).findFirst().orElse(null);
  }

  private static boolean isSensitive(@Nullable Key declared) {
    return declared != null && declared.value() != null && declared.value().isSensitive();
  }

  private static String nearest(String name, Stream<String> known) {
    LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
    return known
        .min(Comparator.comparingInt((String it) -> distance.apply(name, it)))
        .orElseThrow();
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

  /** The text of a value, null where none was set. */
  @Nullable String text(String key) {
    return values.get(key);
  }

  /** Adds a problem of a key, under the name by which its value was set. */
  void problem(String key, String complaint) {
    Key declared = declared(key);
    ValueType type = declared == null ? null : declared.value();
    String text = values.getOrDefault(key, type == null ? "" : type.defaultText());
    String shown =
        text.isEmpty() && !values.containsKey(key)
            ? ""
            : isSensitive(declared) ? "the value " : "\"" + text + "\" ";
    problems.add("%s: %s%s".formatted(source(key, declared), shown, complaint));
  }

  private String source(String key, @Nullable Key declared) {
    boolean inFile = declared == null || declared.isTemplate();
    String unset = inFile ? key + (file.isEmpty() ? "" : " in " + file) : Key.variable(key);
    return sources.getOrDefault(key, unset);
  }

  /**
   * Ends the reading.
   *
   * @throws ConfigException if anything is wrong
   */
  void check() throws ConfigException {
    if (!problems.isEmpty()) {
      throw new ConfigException(problems);
    }
  }
}
