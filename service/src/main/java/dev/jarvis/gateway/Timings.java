package dev.jarvis.gateway;

import java.time.Duration;

/**
 * Where the time of an answer went, by the model server's own clock. The rest of the time was spent
 * waiting for a free slot of the model.
 *
 * @param load until the model was in memory; some milliseconds if it was there
 * @param prompt reading the question
 * @param generation writing the answer
 */
public record Timings(Duration load, Duration prompt, Duration generation) {
  /** How long the machine worked for it. */
  public Duration compute() {
    return load.plus(prompt).plus(generation);
  }

  /** From the start of the work to the first token. */
  public Duration toFirstToken() {
    return load.plus(prompt);
  }
}
