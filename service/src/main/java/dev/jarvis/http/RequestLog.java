package dev.jarvis.http;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The two log lines of a request. Probes and scrapes come every few seconds: they have no line at
 * their start, and one at their end only if they fail.
 */
final class RequestLog {
  /** The logger of every line about a request. */
  static final Logger LOG = LoggerFactory.getLogger("dev.jarvis.request");

  private static final int MAX_LOGGED_CAUSE = 500;
  private static final int MAX_CAUSES = 20;

  private volatile boolean stopping;

  /** The server is about to stop: requests that it interrupts are logged as warnings. */
  void stopping() {
    stopping = true;
  }

  void started(Exchange exchange, boolean probe) {
    if (!probe) {
      LOG.atInfo()
          .addKeyValue("method", exchange.method())
          .addKeyValue("path", exchange.path())
          .addKeyValue("user_id", exchange.userId())
          .log("request_started");
    }
  }

  void completed(Exchange exchange, boolean probe, int status, Duration duration) {
    Throwable failure = exchange.failure();
    if (probe && failure == null && status < 400) {
      return;
    }
    Level level = failure == null ? Level.INFO : stopping ? Level.WARN : Level.ERROR;
    var line =
        LOG.atLevel(level)
            .addKeyValue("method", exchange.method())
            .addKeyValue("path", exchange.path())
            .addKeyValue("user_id", exchange.userId())
            .addKeyValue("client_address", exchange.clientAddress())
            .addKeyValue("status", status)
            .addKeyValue("duration_ms", Math.round(duration.toNanos() / 1e3) / 1e3);
    for (var attribute : exchange.logAttributes().entrySet()) {
      line = line.addKeyValue(attribute.getKey(), attribute.getValue());
    }
    if (failure != null) {
      line = line.addKeyValue("error", failure.toString()).addKeyValue("cause", rootCause(failure));
    }
    line.log("request_completed");
  }

  /** The innermost cause, which a model server or a library reported; bounded, on one line. */
  private static String rootCause(Throwable failure) {
    Throwable root = failure;
    for (int i = 0; i < MAX_CAUSES && root.getCause() != null; i++) {
      root = root.getCause();
    }
    String text = root.toString().replaceAll("\\p{Cntrl}+", " ");
    return text.substring(0, Math.min(text.length(), MAX_LOGGED_CAUSE));
  }
}
