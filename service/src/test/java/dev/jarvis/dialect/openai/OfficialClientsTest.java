package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.jarvis.Programs;
import dev.jarvis.TestService;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The official OpenAI clients, unchanged, against the service. */
class OfficialClientsTest {
  private static final TestService SERVICE = TestService.shared();

  /** A language and how to run its client. */
  enum Client {
    PYTHON,
    NODE;

    List<String> command() throws IOException, InterruptedException {
      return switch (this) {
        case PYTHON ->
            List.of(Programs.python("python").toString(), "src/test/python/openai_client.py");
        case NODE ->
            List.of(
                "node",
                "src/test/node/openai_client.js",
                Programs.npmPackages(Path.of("src/test/node")).toString());
      };
    }
  }

  @AfterEach
  void reset() {
    SERVICE.ollama().reset();
  }

  @ParameterizedTest
  @EnumSource
  void chatsModelsVectorsAndErrors(Client client) throws Exception {
    SERVICE.ollama().embedWith("{\"embeddings\": [[0.5, -1.25], [2, 0]]}");

    run(client, "chat");
  }

  @ParameterizedTest
  @EnumSource
  void tools(Client client) throws Exception {
    SERVICE
        .ollama()
        .answerWith(
            """
            {"role":"assistant","content":"","tool_calls":\
            [{"function":{"name":"weather","arguments":{"city":"Rome"}}}]}""");

    run(client, "tools");
  }

  @ParameterizedTest
  @EnumSource
  void files(Client client) throws Exception {
    run(client, "files");
  }

  @Test
  void limits() throws Exception {
    try (TestService limited =
        TestService.start(
            Map.of(
                "JARVIS_LIMITS_USER_REQUESTS_PER_MINUTE", "2",
                "JARVIS_LIMITS_USER_TOKENS_PER_MINUTE", "10000"))) {
      limited.awaitModel(limited.ollama().model());

      run(limited, Client.PYTHON, "limits");

      assertThat(limited.ollama().requests()).isEqualTo(2);
    }
  }

  private static void run(Client client, String task) throws Exception {
    run(SERVICE, client, task);
  }

  private static void run(TestService service, Client client, String task) throws Exception {
    assumeThat(client == Client.PYTHON || Programs.onPath("npm")).as("npm is installed").isTrue();
    List<String> command = new ArrayList<>(client.command());
    command.addAll(
        List.of(task, service.uri("/v1").toString(), TestService.KEY, service.ollama().model()));

    assertThat(Programs.run(command)).contains("ok");
  }
}
