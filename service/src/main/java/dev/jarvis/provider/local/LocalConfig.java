package dev.jarvis.provider.local;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The model inside the process.
 *
 * @param gguf its weights
 * @param name what requests call it; null for the file's name without quantisation and ending
 * @param contextTokens most tokens of question and answer together
 * @param threads that compute, 0 for one a core
 * @param queueLimit most requests that wait while one is answered
 * @param queueTimeout longest wait for a turn
 * @param maxTokens longest answer where the request names no limit: small models may never end
 */
public record LocalConfig(
    Path gguf,
    @Nullable String name,
    int contextTokens,
    int threads,
    int queueLimit,
    Duration queueTimeout,
    int maxTokens) {

  public LocalConfig {
    requireAtLeast("contextTokens", contextTokens, 64);
    requireAtLeast("threads", threads, 0);
    requireAtLeast("queueLimit", queueLimit, 1);
    requireAtLeast("maxTokens", maxTokens, 1);
    if (!queueTimeout.isPositive()) {
      throw new IllegalArgumentException("queueTimeout must be positive: " + queueTimeout);
    }
  }

  /** The defaults for these weights. */
  public static LocalConfig of(Path gguf) {
    return new LocalConfig(gguf, null, 2048, 0, 16, Duration.ofSeconds(30), 512);
  }

  /** The model's name, for example {@code smollm2-135m-instruct}. */
  public String modelName() {
    return name != null
        ? name
        : gguf.getFileName()
            .toString()
            .replaceFirst("(?i)\\.gguf$", "")
            .replaceFirst("(?i)[.-](I?Q\\d\\w*|B?F16|F32)$", "")
            .toLowerCase(Locale.ROOT);
  }

  int threadCount() {
    return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
  }

  private static void requireAtLeast(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
    }
  }
}
