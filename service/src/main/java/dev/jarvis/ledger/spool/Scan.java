package dev.jarvis.ledger.spool;

import java.util.ArrayList;
import java.util.List;

/**
 * The records that can be found in a piece of a segment, also behind a damaged one.
 *
 * @param end where the last record ends; behind it is nothing that can be read
 * @param damaged the pieces between records that are none
 */
record Scan(List<Found> records, List<Range> damaged, int end) {
  /** A record from an offset on. */
  record Found(int offset, Frame frame) {
    int end() {
      return offset + frame.length();
    }
  }

  /** From an offset to another one, exclusive. */
  record Range(int from, int to) {}

  static Scan of(byte[] bytes) {
    List<Found> records = new ArrayList<>();
    List<Range> damaged = new ArrayList<>();
    int end = 0;
    for (int at = 0; at < bytes.length; ) {
      Frame frame = Frame.decode(bytes, at);
      if (frame != null) {
        if (at > end) {
          damaged.add(new Range(end, at));
        }
        records.add(new Found(at, frame));
        end = at + frame.length();
        at = end;
      } else {
        // a filler must fit into the gap
        at = Math.max(at + 1, end + Frame.HEADER);
      }
    }
    return new Scan(records, damaged, end);
  }
}
