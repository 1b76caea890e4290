package dev.jarvis.budget;

import java.time.LocalDate;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Names the counter of a budget in one period.
 *
 * @param first day of the period; null if it has none
 * @param endMillis when the period ends; 0 for never
 */
record CounterName(UUID budget, @Nullable LocalDate first, long endMillis) {
  private static final String NO_FIRST = "-";

  /** The counter that is in use on a day. */
  static CounterName of(Budget budget, LocalDate day, Zone zone) {
    LocalDate next = budget.period().next(day);
    return new CounterName(
        budget.id(), budget.period().first(day), next == null ? 0 : zone.begin(next));
  }

  /** Reads what {@link #toString} writes. */
  static CounterName parse(String text) {
    String[] parts = text.split("/", -1);
    return new CounterName(
        UUID.fromString(parts[0]),
        parts[1].equals(NO_FIRST) ? null : LocalDate.parse(parts[1]),
        Long.parseLong(parts[2]));
  }

  /** Reads several, with a space between two. */
  static List<CounterName> all(String names) {
    return names.isEmpty()
        ? List.of()
        : Stream.of(names.split(" ", -1)).map(CounterName::parse).toList();
  }

  @Override
  public String toString() {
    return budget + "/" + (first == null ? NO_FIRST : first) + "/" + endMillis;
  }
}
