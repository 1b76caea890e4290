package dev.jarvis.dialect.openai;

import dev.jarvis.gateway.CallRecord;
import dev.jarvis.gateway.RateStatus;
import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The headers by which clients of the OpenAI API <a
 * href="https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers">know their
 * limits</a>.
 */
final class RateHeaders {
  private RateHeaders() {}

  /** None where nothing is limited. */
  static List<Header> of(CallRecord call) {
    RateStatus status = call.rateStatus();
    List<Header> headers = new ArrayList<>();
    if (status != null) {
      add("requests", status.requests(), headers);
      add("tokens", status.tokens(), headers);
    }
    if (!call.overBudgets().isEmpty()) {
      headers.add(HeaderValues.create("x-jarvis-budget", String.join(", ", call.overBudgets())));
    }
    return headers;
  }

  private static void add(
      String of, RateStatus.@Nullable Allowance allowance, List<Header> headers) {
    if (allowance != null) {
      headers.add(header("limit", of, Long.toString(allowance.limit())));
      headers.add(header("remaining", of, Long.toString(allowance.remaining())));
      headers.add(header("reset", of, time(allowance.reset())));
    }
  }

  private static Header header(String name, String of, String value) {
    return HeaderValues.create("x-ratelimit-" + name + "-" + of, value);
  }

  /** As Go writes durations: {@code 120ms}, {@code 1s}, {@code 6m0s}. Rounded up. */
  static String time(Duration time) {
    if (time.isPositive() && time.compareTo(Duration.ofSeconds(1)) < 0) {
      return time.toMillis() + "ms";
    }
    long seconds = time.plusMillis(999).toSeconds();
    return seconds < 60 ? seconds + "s" : "%dm%ds".formatted(seconds / 60, seconds % 60);
  }
}
