package dev.jarvis.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The official OpenAI client for Python, unchanged, against the service. */
class OpenAiPythonClientTest {
  @Test
  void theOfficialClientWorksUnchanged() throws Exception {
    TestService service = TestService.shared();
    Process process =
        new ProcessBuilder(
                python().toString(),
                "src/test/python/openai_client.py",
                service.uri("/v1").toString(),
                TestService.KEY,
                service.ollama().model())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output).contains("ok ");
  }

  private static Path python() {
    String cache = System.getenv("JARVIS_CACHE");
    Path root =
        cache == null
            ? Path.of(System.getProperty("user.home"), ".cache", "jarvis")
            : Path.of(cache);
    Path python = root.resolve("venv/bin/python");
    assertThat(Files.isExecutable(python))
        .as("%s: `make venv` makes it, and `make test` calls that", python)
        .isTrue();
    return python;
  }
}
