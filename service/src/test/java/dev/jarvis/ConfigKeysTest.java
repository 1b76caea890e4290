package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.config.ForeignVariables;
import dev.jarvis.config.Key;
import dev.jarvis.config.ValueType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What holds for every key, and for every JARVIS_ variable in the repository. */
class ConfigKeysTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern SECRET =
      Pattern.compile("(.*[.-])?(password|tokens?|keys?|secrets?)");

  /** But for the misspelt ones in examples of error messages. */
  private static final Pattern VARIABLE =
      Pattern.compile("JARVIS_[A-Z0-9_]*[A-Z0-9](?!: unknown)\\b");

  /** Whose variables must exist: tests in Java misspell some on purpose. */
  private static final List<String> PLACES =
      List.of(
          ".ci",
          "bench",
          "docs",
          "grafana-provisioning",
          "Makefile",
          "README.md",
          "service/Dockerfile",
          "service/bin",
          "stack");

  @Test
  void everyKeyIsDocumented() {
    assertThat(JarvisConfig.keyList())
        .allSatisfy(it -> assertThat(it.doc()).as(it.name()).isNotBlank());
  }

  /** Counts of tokens are numbers. */
  @Test
  void whatIsNamedLikeASecretIsOne() {
    Map<String, ValueType> secrets = values();
    secrets
        .entrySet()
        .removeIf(
            it ->
                !SECRET.matcher(it.getKey()).matches()
                    || it.getValue().allowed().contains("number"));

    assertThat(secrets)
        .hasSizeGreaterThan(5)
        .allSatisfy((key, type) -> assertThat(type.isSensitive()).as(key).isTrue());
  }

  @Test
  void everyVariableInTheRepositoryIsKnown() throws Exception {
    Pattern known =
        Pattern.compile(
            values().keySet().stream()
                .map(it -> Key.variable(it.replace("._", ".any")).replace("_ANY", "_[A-Z0-9_]+"))
                .map(it -> it + "(_FILE)?")
                .collect(Collectors.joining("|")));
    Map<String, Set<Path>> used = used();

    assertThat(used.keySet()).contains("JARVIS_API_KEY", "JARVIS_DATABASE_URL", "JARVIS_HOME");
    assertThat(used)
        .allSatisfy(
            (variable, files) ->
                assertThat(
                        ForeignVariables.OF_SCRIPTS.contains(variable)
                            || known.matcher(variable).matches())
                    .as("%s in %s", variable, files)
                    .isTrue());
  }

  @Test
  void everyVariableOfTheScriptsIsUsed() throws Exception {
    assertThat(used().keySet()).containsAll(ForeignVariables.OF_SCRIPTS);
  }

  private static Map<String, ValueType> values() {
    Map<String, ValueType> values = new TreeMap<>();
    for (Key key : JarvisConfig.keyList()) {
      if (key.value() != null) {
        values.put(key.name(), key.value());
      }
    }
    return values;
  }

  private static Map<String, Set<Path>> used() throws IOException {
    Map<String, Set<Path>> used = new TreeMap<>();
    for (String place : PLACES) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(place))) {
        for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
          String text = Files.readString(file, StandardCharsets.ISO_8859_1);
          VARIABLE
              .matcher(text)
              .results()
              .map(MatchResult::group)
              .forEach(it -> used.computeIfAbsent(it, key -> new LinkedHashSet<>()).add(file));
        }
      }
    }
    return used;
  }
}
