package dev.jarvis.budget;

import dev.jarvis.config.Allowed;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;

/** The time zone in which days and months begin. */
@Allowed("an IANA time zone, such as Europe/Berlin")
public record Zone(ZoneId id) {
  /**
   * Parses the name of a zone.
   *
   * @throws IllegalArgumentException if there is no such zone
   */
  public static Zone parse(String text) {
    try {
      return new Zone(ZoneId.of(text));
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("not a time zone", e);
    }
  }

  LocalDate day(long millis) {
    return LocalDate.ofInstant(Instant.ofEpochMilli(millis), id);
  }

  long begin(LocalDate day) {
    return day.atStartOfDay(id).toInstant().toEpochMilli();
  }
}
