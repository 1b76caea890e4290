package dev.jarvis.limit;

/**
 * What a call needs of a counter.
 *
 * @param amount at most the limit, or the call could never be granted
 * @param limit at least 1
 */
record Demand(Counter counter, long amount, long limit) {
  Demand {
    amount = Math.min(amount, limit);
  }

  /** The same where the limit is divided among replicas. */
  Demand share(int replicas) {
    return new Demand(counter, amount, Math.max(1, limit / replicas));
  }
}
