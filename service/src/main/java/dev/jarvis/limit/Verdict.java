package dev.jarvis.limit;

import java.util.List;

/**
 * Whether a call was granted what it needs.
 *
 * @param second in which it was counted, by the clock of whoever counts
 * @param states of the counters, in the order of the demands
 */
record Verdict(boolean granted, long second, List<State> states) {
  /**
   * The state of a counter afterwards.
   *
   * @param used including what the call took
   * @param waitMillis how long the call would have to wait because of this counter
   * @param resetMillis after how long nothing would be used
   */
  record State(long used, long waitMillis, long resetMillis) {}

  /** The same, with waits of a limited length. */
  Verdict waitingAtMost(long millis) {
    return new Verdict(
        granted,
        second,
        states.stream()
            .map(it -> new State(it.used(), Math.min(it.waitMillis(), millis), it.resetMillis()))
            .toList());
  }

  Verdict {
    states = List.copyOf(states);
  }
}
