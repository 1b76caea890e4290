package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.config.Configs;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a server's response to {@code GET /models} says about it. */
@Timeout(60)
class ModelListTest {
  private final FakeOpenAi server = FakeOpenAi.start("m");

  ModelListTest() throws IOException {}

  @AfterEach
  void close() {
    server.close();
  }

  private ModelList list(String named) throws ProviderException {
    Map<String, String> settings = new HashMap<>(Map.of("url", server.uri().toString()));
    if (!named.isEmpty()) {
      settings.put("models", named);
    }
    try (OpenAiProvider provider =
        new OpenAiProvider(Configs.of(ModelServerConfig.class, "cloud", settings))) {
      return provider.models();
    }
  }

  /**
   * Without and with named models: how they are known, or the exception of a server that is down.
   */
  @ParameterizedTest
  @CsvSource({
    "200, LISTED, CONFIGURED",
    "204, NONE, CONFIGURED",
    "301, Unavailable, CONFIGURED",
    "400, Refused, CONFIGURED",
    "401, Unavailable, Unavailable",
    "403, Unavailable, CONFIGURED",
    "404, NONE, CONFIGURED",
    "405, NONE, CONFIGURED",
    "410, NONE, CONFIGURED",
    "429, Busy, CONFIGURED",
    "500, Unavailable, CONFIGURED",
    "501, NONE, CONFIGURED",
    "502, Unavailable, Unavailable",
    "503, Unavailable, Unavailable",
    "504, Unavailable, Unavailable"
  })
  void judgesTheStatus(int status, String alone, String named) {
    server.listWith(status, status == 204 ? "" : "{\"data\":[{\"id\":\"m\"}]}");

    assertThat(outcome("")).isEqualTo(alone);
    assertThat(outcome("a, b")).isEqualTo(named);
  }

  private String outcome(String named) {
    try {
      ModelList list = list(named);
      assertThat(list.names()).isEqualTo(expected(list.source()));
      return list.source().name();
    } catch (ProviderException e) {
      return e.getClass().getSimpleName();
    }
  }

  private static List<String> expected(ModelList.Source source) {
    return switch (source) {
      case LISTED -> List.of("m");
      case CONFIGURED -> List.of("a", "b");
      case NONE -> List.of();
    };
  }

  @Test
  void saysThatTheKeyIsRejected() {
    server.listWith(401, "{\"error\":\"wrong key\"}");

    assertThatThrownBy(() -> list("")).hasMessageContaining("rejected JARVIS's API key");
  }

  @Test
  void doesNotReadTheListOfNamedModels() throws Exception {
    for (String body : new String[] {"<html>", "[".repeat(100_000), "", "{\"data\":[\"c\"]}"}) {
      server.listWith(200, body);

      assertThat(list("a").names()).as(body).containsExactly("a");
    }
  }

  @Test
  void readsACompressedList() throws Exception {
    server.listCompressed();

    assertThat(list("").names()).containsExactly("m");
  }

  @Test
  void reportsListsThatCannotBeRead() {
    for (String body : new String[] {"<html>", "{\"data\":[", "[".repeat(100_000)}) {
      server.listWith(200, body);

      assertThatThrownBy(() -> list(""))
          .as(body)
          .isInstanceOf(ProviderException.Unavailable.class)
          .hasMessageContaining("invalid");
    }
    server.listWith(200, "[" + " ".repeat(5 << 20) + "]");
    assertThatThrownBy(() -> list("")).hasMessageContaining("longer than the maximum of 4 MiB");
  }
}
