package dev.jarvis.limit;

/**
 * What a call used of a counter beyond what it took, or less if negative. A slot of a parallel call
 * is always given back.
 */
record Change(Counter counter, long amount) {
  boolean isNothing() {
    return amount == 0 && counter.kind() != Counter.Kind.PARALLEL;
  }
}
