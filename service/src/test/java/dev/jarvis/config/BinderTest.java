package dev.jarvis.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BinderTest {
  @TempDir Path folder;

  enum Colour {
    DARK_RED,
    BLUE
  }

  @Allowed("a pair such as 1:2")
  record Pair(int left, int right) {
    static Pair parse(String text) {
      String[] parts = text.split(":", -1);
      return new Pair(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }
  }

  record Root(Values values, @Inline Queue queue, Map<String, Server> servers, List<Item> items) {}

  record Values(
      @Default("5") @Range(min = 1, max = 9) int number,
      @Default("0") @Range long large,
      @Default("0.5") BigDecimal amount,
      @Default("0.1") @Range(max = 2) BigDecimal factor,
      @Default("10s") Duration delay,
      @Default("0") @Range Duration pause,
      @Default("true") boolean enabled,
      @Default("x") String text,
      @Nullable String none,
      @Default("~/a") Path path,
      @Default("2026-01-02") LocalDate day,
      @Default("dark-red") Colour colour,
      Set<String> names,
      List<Pair> pairs,
      @Nullable Secret token,
      @Nullable HttpUrl url) {}

  record Queue(@Default("3") @Range(max = 10) int maxQueued) {}

  record Server(@EntryName String name, HttpUrl url, @Default("1s") Duration limit) {}

  record Item(
      @Range(min = 1, max = 5) String name,
      @Default("1") @Range(max = 9) int least,
      @Default("2") @Range(max = 9) int most)
      implements Checked {
    @Override
    public void check(Problems problems) {
      if (least > most) {
        problems.add("least", "must not be above most.");
      }
    }
  }

  @Test
  void defaults() throws Exception {
    Root root = load(Map.of());

    assertThat(root.values())
        .isEqualTo(
            new Values(
                5,
                0,
                new BigDecimal("0.5"),
                new BigDecimal("0.1"),
                Duration.ofSeconds(10),
                Duration.ZERO,
                true,
                "x",
                null,
                Path.of(System.getProperty("user.home"), "a"),
                LocalDate.of(2026, 1, 2),
                Colour.DARK_RED,
                Set.of(),
                List.of(),
                null,
                null));
    assertThat(root.queue()).isEqualTo(new Queue(3));
    assertThat(root.servers()).isEmpty();
    assertThat(root.items()).isEmpty();
  }

  @Test
  void everyTypeFromTheEnvironment() throws Exception {
    Root root =
        load(
            Map.ofEntries(
                Map.entry("JARVIS_VALUES_NUMBER", "9"),
                Map.entry("JARVIS_VALUES_LARGE", "9000000000"),
                Map.entry("JARVIS_VALUES_AMOUNT", "12.5"),
                Map.entry("JARVIS_VALUES_DELAY", "PT1M"),
                Map.entry("JARVIS_VALUES_PAUSE", "250ms"),
                Map.entry("JARVIS_VALUES_ENABLED", "false"),
                Map.entry("JARVIS_VALUES_TEXT", " y "),
                Map.entry("JARVIS_VALUES_NONE", ""),
                Map.entry("JARVIS_VALUES_PATH", "/tmp"),
                Map.entry("JARVIS_VALUES_DAY", "2026-11-24"),
                Map.entry("JARVIS_VALUES_COLOUR", "blue"),
                Map.entry("JARVIS_VALUES_NAMES", "a, b,a"),
                Map.entry("JARVIS_VALUES_PAIRS", "1:2,3:4"),
                Map.entry("JARVIS_VALUES_TOKEN", "hunter2"),
                Map.entry("JARVIS_VALUES_URL", "https://user:hunter2@host/v1"),
                Map.entry("JARVIS_MAX_QUEUED", "0")));

    Values values = root.values();
    assertThat(values.number()).isEqualTo(9);
    assertThat(values.large()).isEqualTo(9_000_000_000L);
    assertThat(values.amount()).isEqualTo("12.5");
    assertThat(values.delay()).isEqualTo(Duration.ofMinutes(1));
    assertThat(values.pause()).isEqualTo(Duration.ofMillis(250));
    assertThat(values.enabled()).isFalse();
    assertThat(values.text()).isEqualTo("y");
    assertThat(values.none()).isNull();
    assertThat(values.path()).isEqualTo(Path.of("/tmp"));
    assertThat(values.day()).isEqualTo("2026-11-24");
    assertThat(values.colour()).isEqualTo(Colour.BLUE);
    assertThat(values.names()).containsExactly("a", "b");
    assertThat(values.pairs()).containsExactly(new Pair(1, 2), new Pair(3, 4));
    assertThat(root.queue().maxQueued()).isZero();
    assertThat(values.token()).isEqualTo(new Secret("hunter2"));
    assertThat(values.url()).hasToString("https://host");
    assertThat(root.toString()).doesNotContain("hunter2");
  }

  @Test
  void entriesOfTheFileUnderTheirVariables() throws Exception {
    String file =
        file(
            """
            servers:
              near: {url: "http://a", limit: 2s}
              far-off: {url: "http://b"}
            items:
              - {name: one}
              - {name: two, most: 3}
            """);

    Root root =
        load(
            Map.of(
                "JARVIS_CONFIG", file,
                "JARVIS_SERVERS_FAR_OFF_LIMIT", "3s",
                "JARVIS_ITEMS_1_LEAST", "2"));

    assertThat(root.servers())
        .containsExactly(
            Map.entry(
                "far-off", new Server("far-off", HttpUrl.parse("http://b"), Duration.ofSeconds(3))),
            Map.entry(
                "near", new Server("near", HttpUrl.parse("http://a"), Duration.ofSeconds(2))));
    assertThat(root.items()).containsExactly(new Item("one", 1, 2), new Item("two", 2, 3));
  }

  @Test
  void everyProblemAtOnceNamesTheValueAndWhatIsAllowed() throws Exception {
    String file =
        file(
            """
            values: {delay: 5 years, pairs: "1:2, 3", colour: green}
            servers: {near: {limit: 0s}}
            items: [{name: sixsix}, {name: one, least: 3}, {least: 2}]
            """);

    assertThat(
            problems(
                Map.of(
                    "JARVIS_CONFIG", file,
                    "JARVIS_VALUES_NUMBER", "10",
                    "JARVIS_VALUES_LARGE", "-1",
                    "JARVIS_VALUES_AMOUNT", "free",
                    "JARVIS_VALUES_FACTOR", "2.01",
                    "JARVIS_VALUES_PAUSE", "31d",
                    "JARVIS_VALUES_DAY", "soon",
                    "JARVIS_VALUES_ENABLED", "yes",
                    "JARVIS_VALUES_URL", "ftp://hunter2@x")))
        .containsExactlyInAnyOrder(
            "values.delay in FILE: \"5 years\" must be a duration between 1 ms and 30 days, such as 500ms, 30s or 10m.",
            "values.pairs in FILE: \"1:2, 3\" must be a comma-separated list, each item a pair such as 1:2; the item \"3\" is invalid.",
            "values.colour in FILE: \"green\" must be dark-red or blue.",
            "servers.near.url in FILE: must be an http:// or https:// URL.",
            "servers.near.limit in FILE: \"0s\" must be a duration between 1 ms and 30 days, such as 500ms, 30s or 10m.",
            "items.0.name in FILE: \"sixsix\" must be 1 to 5 characters long.",
            "items.1.least in FILE: \"3\" must not be above most.",
            "items.2.name in FILE: must be 1 to 5 characters long.",
            "JARVIS_VALUES_NUMBER: \"10\" must be a whole number from 1 to 9.",
            "JARVIS_VALUES_LARGE: \"-1\" must be a whole number of at least 0.",
            "JARVIS_VALUES_AMOUNT: \"free\" must be an amount of at least 0 and below 1000000000, such as 0.15.",
            "JARVIS_VALUES_FACTOR: \"2.01\" must be a number from 0 to 2.",
            "JARVIS_VALUES_PAUSE: \"31d\" must be 0 or a duration between 1 ms and 30 days, such as 500ms, 30s or 10m.",
            "JARVIS_VALUES_DAY: \"soon\" must be a date in quotes, such as \"2026-11-24\".",
            "JARVIS_VALUES_ENABLED: \"yes\" must be true or false.",
            "JARVIS_VALUES_URL: the value must be an http:// or https:// URL.");
  }

  @Test
  void whatIsUnknownIsRefusedWithASuggestion() throws Exception {
    String file = file("valuez: {delay: 1s}\nservers: {near: {url: \"http://a\", limitt: 1s}}\n");

    assertThat(
            problems(
                Map.of(
                    "JARVIS_CONFIG", file,
                    "JARVIS_VALUES_NUMBR", "1",
                    "JARVIS_VALUES_TOKN_FILE", "/x",
                    "JARVIS_SERVERS_NEAR_URI", "http://a",
                    "JARVIS_CONFG", "x")))
        .containsExactlyInAnyOrder(
            "FILE: unknown key valuez.delay; did you mean values.delay?",
            "FILE: unknown key servers.near.limitt; did you mean servers.near.limit?",
            "JARVIS_VALUES_NUMBR: unknown variable; did you mean JARVIS_VALUES_NUMBER?",
            "JARVIS_VALUES_TOKN_FILE: unknown variable; did you mean JARVIS_VALUES_TOKEN_FILE?",
            "JARVIS_SERVERS_NEAR_URI: unknown variable; did you mean JARVIS_SERVERS_NEAR_URL?",
            "JARVIS_CONFG: unknown variable; did you mean JARVIS_CONFIG?");
  }

  @Test
  void secretsFromFiles() throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "hunter2\n");

    assertThat(load(Map.of("JARVIS_VALUES_TOKEN_FILE", secret.toString())).values().token())
        .isEqualTo(new Secret("hunter2"));
    assertThat(problems(Map.of("JARVIS_VALUES_TOKEN_FILE", "/nowhere")))
        .containsExactly("JARVIS_VALUES_TOKEN_FILE: cannot read the file /nowhere");
    assertThat(
            problems(
                Map.of("JARVIS_VALUES_TOKEN_FILE", secret.toString(), "JARVIS_VALUES_TOKEN", "x")))
        .containsExactly("JARVIS_VALUES_TOKEN and JARVIS_VALUES_TOKEN_FILE: set only one of them.");
  }

  @Test
  void variablesOfScriptsAndKubernetesServiceLinksPass() throws Exception {
    Map<String, String> environment = new HashMap<>();
    ForeignVariables.OF_SCRIPTS.forEach(it -> environment.put(it, "x"));
    environment.remove("JARVIS_CONFIG");
    // of a service "jarvis", and of one "jarvis-values-number", whose link is not our key
    for (String service : List.of("JARVIS", "JARVIS_VALUES_NUMBER")) {
      environment.put(service + "_SERVICE_HOST", "10.0.0.1");
      environment.put(service + "_SERVICE_PORT", "8000");
      environment.put(service + "_SERVICE_PORT_HTTP", "8000");
      environment.put(service + "_PORT", "tcp://10.0.0.1:8000");
      environment.put(service + "_PORT_8000_TCP", "tcp://10.0.0.1:8000");
      environment.put(service + "_PORT_8000_TCP_PROTO", "tcp");
      environment.put(service + "_PORT_8000_TCP_PORT", "8000");
      environment.put(service + "_PORT_8000_TCP_ADDR", "10.0.0.1");
    }

    assertThat(load(environment).values().number()).isEqualTo(5);
  }

  @Test
  void aMisspeltVariableThatLooksLikeAServiceLinkIsRefused() {
    assertThat(
            problems(
                Map.of(
                    "JARVIS_SERVR_PORT", "9000",
                    "JARVIS_SERVICE_PORT", "9000",
                    "JARVIS_PORT", "9000",
                    "JARVIS_VALUES_SERVICE_HOST", "example.org")))
        .hasSize(4)
        .allMatch(it -> it.contains("unknown variable; did you mean "));
  }

  @Test
  void aFileThatCannotBeReadIsAProblem() throws Exception {
    assertThat(problems(Map.of("JARVIS_CONFIG", "/nowhere")))
        .containsExactly("JARVIS_CONFIG: cannot read the file /nowhere");
    assertThat(problems(Map.of("JARVIS_CONFIG", file("values:\n  token: @hunter2\n"))))
        .as("without the line, which may contain a secret")
        .containsExactly("JARVIS_CONFIG: FILE is not valid YAML at line 2, column 10.");
  }

  @Test
  void openSetsBindByName() throws Exception {
    record Shape(String name) {}
    record Choice(Shape shape) {}
    Binder binder = new Binder(Map.of(Shape.class, Map.of("round", new Shape("circle"))));

    assertThat(binder.load(Choice.class, Map.of("JARVIS_SHAPE", "round")).shape())
        .isEqualTo(new Shape("circle"));
    assertThatThrownBy(() -> binder.load(Choice.class, Map.of("JARVIS_SHAPE", "flat")))
        .hasMessageContaining("JARVIS_SHAPE: \"flat\" must be round.");
  }

  @Test
  void valuesInTheCodeAreCheckedToo() {
    assertThat(Configs.of(Server.class, "near", Map.of("url", "http://a")).name())
        .isEqualTo("near");
    assertThatThrownBy(() -> Configs.of(Queue.class, Map.of("max-queuedd", "1")))
        .hasMessageContaining("unknown key test.max-queuedd; did you mean test.max-queued?");
  }

  private static Root load(Map<String, String> environment) throws ConfigException {
    return new Binder(Map.of()).load(Root.class, environment);
  }

  private String file(String yaml) throws Exception {
    return Files.writeString(folder.resolve("jarvis.yaml"), yaml).toString();
  }

  private List<String> problems(Map<String, String> environment) {
    try {
      load(environment);
      return List.of();
    } catch (ConfigException e) {
      return String.valueOf(e.getMessage())
          .replace(folder.resolve("jarvis.yaml").toString(), "FILE")
          .lines()
          .skip(1)
          .map(it -> it.substring("  - ".length()))
          .toList();
    }
  }
}
