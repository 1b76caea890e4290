package dev.jarvis.ledger;

import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.util.Locale;

/** What became of an entry: the label {@code result} of {@code ledger_rows_total}. */
enum EntryResult {
  /** In PostgreSQL. */
  OK,
  /** Rejected by PostgreSQL and kept in a file. */
  ERROR,
  /** Lost, because the spool had no room. */
  DROPPED;

  void count(Instruments instruments, int entries) {
    instruments.add(Metric.LEDGER_ROWS, entries, name().toLowerCase(Locale.ROOT));
  }
}
