package dev.jarvis.ledger.spool;

/**
 * A place in the spool, between two records.
 *
 * @param segment the number of the segment
 * @param offset in bytes from the segment's beginning
 */
public record Position(long segment, long offset) {
  static final Position START = new Position(0, 0);
}
