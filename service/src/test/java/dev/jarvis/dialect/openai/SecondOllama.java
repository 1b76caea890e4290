package dev.jarvis.dialect.openai;

import dev.jarvis.TestService;
import dev.jarvis.provider.ollama.FakeOllama;

/** A service whose route {@code both} asks its own Ollama first, and then a second one. */
final class SecondOllama {
  private static final String MODEL = "second:1b";

  private SecondOllama() {}

  /**
   * Starts the service.
   *
   * @param settings more of the configuration file
   */
  static TestService service(FakeOllama second, String settings) throws Exception {
    second.listModels(MODEL);
    return TestService.startWith(
            """
            %s
            providers:
              second: {type: ollama, url: "%s"}
            routes:
              - name: both
                targets:
                  - {provider: ollama, model: "fake:1b", priority: 1}
                  - {provider: second, model: "second:1b", priority: 2}
            """
                .formatted(settings, second.uri()))
        .awaitModel("fake:1b")
        .awaitModel(MODEL);
  }

  /** Lets the second Ollama answer as at first. */
  static void reset(FakeOllama second) {
    second.reset();
    second.listModels(MODEL);
  }
}
