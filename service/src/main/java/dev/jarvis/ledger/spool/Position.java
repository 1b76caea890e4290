package dev.jarvis.ledger.spool;

/**
 * A place in the spool, between two records.
 *
 * @param segment the number of the segment
 * @param offset in bytes from the segment's beginning
 */
public record Position(long segment, long offset) implements Comparable<Position> {
  static final Position START = new Position(0, 0);

  @Override
  public int compareTo(Position other) {
    return segment == other.segment
        ? Long.compare(offset, other.offset)
        : Long.compare(segment, other.segment);
  }
}
