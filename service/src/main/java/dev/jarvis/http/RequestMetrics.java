package dev.jarvis.http;

import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.List;

/** The metrics of requests. */
final class RequestMetrics {
  /** Statuses that every route shows from the start: 200, and each 5xx of {@link Errors}. */
  private static final List<String> ANNOUNCED = List.of("200", "500", "502", "503", "504");

  private final Instruments instruments;

  /** Every series begins at 0, because a rate misses a first failure that creates its counter. */
  RequestMetrics(Instruments instruments, Routes routes) {
    this.instruments = instruments;
    instruments.add(Metric.HTTP_ACTIVE_REQUESTS, 0);
    routes
        .templates()
        .forEach(
            (template, methods) -> {
              instruments.add(Metric.HTTP_RESPONSES_BROKEN, 0, template);
              methods.forEach(method -> announce(method, template));
            });
  }

  private void announce(String method, String template) {
    for (String status : ANNOUNCED) {
      instruments.add(Metric.HTTP_REQUESTS, 0, method, template, status);
    }
  }

  void started() {
    instruments.add(Metric.HTTP_ACTIVE_REQUESTS, 1);
  }

  void completed(Exchange exchange, int status, Duration duration) {
    String route = exchange.route();
    instruments.add(Metric.HTTP_REQUESTS, 1, exchange.method(), route, Integer.toString(status));
    if (exchange.failure() != null && status < 400) {
      instruments.add(Metric.HTTP_RESPONSES_BROKEN, 1, route);
    }
    instruments.record(Metric.HTTP_REQUEST_DURATION, duration, exchange.method(), route);
  }

  void ended() {
    instruments.add(Metric.HTTP_ACTIVE_REQUESTS, -1);
  }
}
