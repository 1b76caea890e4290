package dev.jarvis.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Random;

/**
 * Feeds a reader with mutations of valid inputs. The seeds are fixed, so that a failure repeats;
 * {@code make fuzz} runs more of them. The system property {@code fuzz.inputs} is the number of
 * inputs of each test, {@code fuzz.seed} the first seed.
 */
public final class Fuzz {
  private static final int INPUTS = Integer.getInteger("fuzz.inputs", 1_000);
  private static final long FIRST_SEED = Long.getLong("fuzz.seed", 1);
  private static final int SHOWN_BYTES = 4_096;

  private Fuzz() {}

  /** Reads one input; whatever it throws is a failure. */
  @FunctionalInterface
  public interface Reader {
    void read(byte[] input, Random random) throws Exception;
  }

  /**
   * Runs a reader on the inputs as they are, and on mutations of them.
   *
   * @param corpus valid inputs
   */
  public static void run(List<String> corpus, Reader reader) {
    run(corpus, INPUTS, reader);
  }

  /**
   * The same with a number of inputs for a slow reader.
   *
   * @param share of the usual number of inputs: one in so many
   */
  public static void runSome(List<String> corpus, int share, Reader reader) {
    run(corpus, Math.max(1, INPUTS / share), reader);
  }

  private static void run(List<String> corpus, int inputs, Reader reader) {
    corpus.forEach(it -> read(it.getBytes(StandardCharsets.UTF_8), 0, reader));
    for (long seed = FIRST_SEED; seed < FIRST_SEED + inputs; seed++) {
      Random random = new Random(seed);
      byte[] input = corpus.get(random.nextInt(corpus.size())).getBytes(StandardCharsets.UTF_8);
      for (int left = 1 + random.nextInt(3); left > 0; left--) {
        input = Mutation.any(input, random);
      }
      read(input, seed, reader);
    }
  }

  private static void read(byte[] input, long seed, Reader reader) {
    try {
      reader.read(input, new Random(seed));
    } catch (Exception | Error e) { // also a stack overflow
      throw new AssertionError(
          "fuzz.seed=%d fails with %s; %d bytes: %s".formatted(seed, e, input.length, shown(input)),
          e);
    }
  }

  private static String shown(byte[] input) {
    return input.length <= SHOWN_BYTES
        ? Base64.getEncoder().encodeToString(input)
        : "too many to show";
  }
}
