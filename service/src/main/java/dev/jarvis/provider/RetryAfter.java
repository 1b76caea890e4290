package dev.jarvis.provider;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.regex.Pattern;

/**
 * How long a model server asks clients to wait: {@code retry-after-ms} of some servers, else {@code
 * Retry-After} as <a href="https://www.rfc-editor.org/rfc/rfc9110#field.retry-after">RFC 9110</a>
 * defines it, in seconds or as a date. Fractions of seconds are accepted.
 */
final class RetryAfter {
  /** Longer waits are cut to this. */
  static final Duration LONGEST = Duration.ofDays(1);

  private static final Pattern NUMBER = Pattern.compile("\\d{1,18}(\\.\\d{1,18})?");

  private RetryAfter() {}

  /** Zero if the server does not say, or says what cannot be read or is past. */
  static Duration of(HttpHeaders headers, Instant now) {
    Duration wait = millis(headers.firstValue("retry-after-ms").orElse(""), 1);
    if (wait.isZero()) {
      wait = seconds(headers.firstValue("retry-after").orElse(""), now);
    }
    return wait.compareTo(LONGEST) > 0 ? LONGEST : wait.isNegative() ? Duration.ZERO : wait;
  }

  private static Duration seconds(String value, Instant now) {
    Duration wait = millis(value, 1000);
    if (!wait.isZero() || value.isBlank()) {
      return wait;
    }
    try {
      ZonedDateTime date = ZonedDateTime.parse(value.strip(), DateTimeFormatter.RFC_1123_DATE_TIME);
      return Duration.between(now, date.toInstant());
    } catch (DateTimeParseException e) {
      return Duration.ZERO;
    }
  }

  private static Duration millis(String number, int factor) {
    String text = number.strip();
    if (!NUMBER.matcher(text).matches()) {
      return Duration.ZERO;
    }
    double millis = Double.parseDouble(text) * factor;
    return Duration.ofMillis((long) Math.ceil(Math.min(millis, (double) LONGEST.toMillis())));
  }
}
