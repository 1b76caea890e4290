package dev.jarvis.provider.local;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Where the small model's weights are: {@code service/bin/fetch-model} brings them. */
public final class LocalWeights {
  private static final String FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";

  private LocalWeights() {}

  /** The weights; a test that needs them fails without, and says what to do. */
  public static Path path() {
    Map<String, String> environment = System.getenv();
    String given = System.getProperty("jarvis.local.model", environment.get("JARVIS_LOCAL_MODEL"));
    String home = System.getProperty("user.home");
    Path cache = Path.of(environment.getOrDefault("JARVIS_CACHE", home + "/.cache/jarvis"));
    Path path = given != null ? Path.of(given) : cache.resolve("models").resolve(FILE);
    if (!Files.isReadable(path)) {
      throw new AssertionError("no model weights at " + path + ": run service/bin/fetch-model");
    }
    return path;
  }
}
