package dev.jarvis.provider.local;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The weights of the small model, which {@code service/bin/fetch-model} downloads. */
public final class LocalWeights {
  private static final String FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";

  private LocalWeights() {}

  /** The path of the weights. Fails with an instruction if they are missing. */
  public static Path path() {
    Map<String, String> environment = System.getenv();
    String given = System.getProperty("jarvis.local.model", environment.get("JARVIS_LOCAL_MODEL"));
    String home = System.getProperty("user.home");
    Path cache = Path.of(environment.getOrDefault("JARVIS_CACHE", home + "/.cache/jarvis"));
    Path path = given != null ? Path.of(given) : cache.resolve("models").resolve(FILE);
    if (!Files.isReadable(path)) {
      throw new AssertionError(
          "cannot read the model weights at " + path + "; run service/bin/fetch-model");
    }
    return path;
  }
}
