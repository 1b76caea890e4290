package dev.jarvis.gateway;

import java.time.Duration;

/**
 * How long the model server worked on an answer, by its own clock. The rest of an attempt's time
 * was spent waiting for a free slot of the model.
 *
 * @param load loading the model; some milliseconds if it was in memory
 * @param prompt evaluating the prompt
 * @param generation generating the answer
 */
public record Timings(Duration load, Duration prompt, Duration generation) {
  /** The total time that the machine worked. */
  public Duration compute() {
    return load.plus(prompt).plus(generation);
  }

  /** From the start of the work to the first token. */
  public Duration toFirstToken() {
    return load.plus(prompt);
  }
}
