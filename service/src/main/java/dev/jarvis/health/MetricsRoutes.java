package dev.jarvis.health;

import dev.jarvis.error.ApiException;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Routes;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * {@code GET /metrics}: Prometheus text, OpenMetrics with exemplars when asked for, gzip when
 * accepted.
 */
public final class MetricsRoutes {
  private static final Pattern GZIP =
      Pattern.compile("(^|[,\\s])gzip(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))");

  /** Each scrape collects everything, and anybody may scrape; Prometheus needs one at a time. */
  private static final int MAX_AT_ONCE = 2;

  private final Supplier<MetricSnapshots> metrics;

  /** How long a scrape waits for others, so that other readers do not make Prometheus's fail. */
  private static final Duration WAIT = Duration.ofSeconds(5);

  private final Semaphore permits = new Semaphore(MAX_AT_ONCE, true);
  private final ExpositionFormats formats = ExpositionFormats.init();

  public MetricsRoutes(Telemetry telemetry) {
    this(telemetry::collect);
  }

  MetricsRoutes(Supplier<MetricSnapshots> metrics) {
    this.metrics = metrics;
  }

  public void register(Routes routes) {
    routes.add(
        Endpoint.get("/metrics", Access.METRICS_TOKEN)
            .operation("operation", "metrics", "The metrics of this replica, for Prometheus.")
            .text(
                200,
                "Prometheus text, or OpenMetrics with exemplars if `Accept` names it.",
                "text/plain")
            .text(
                200,
                "Prometheus text, or OpenMetrics with exemplars if `Accept` names it.",
                "application/openmetrics-text")
            .errors(503),
        this::metrics);
  }

  private void metrics(ServerRequest request, ServerResponse response) throws IOException {
    ExpositionFormatWriter writer =
        formats.findWriter(request.headers().first(HeaderNames.ACCEPT).orElse(""));
    String accepted = request.headers().first(HeaderNames.ACCEPT_ENCODING).orElse("");
    boolean gzip = GZIP.matcher(accepted).find();
    byte[] body = render(writer, gzip);
    response.header(HeaderNames.CONTENT_TYPE, writer.getContentType());
    response.headers().add(HeaderValues.create(HeaderNames.VARY, "Accept, Accept-Encoding"));
    if (gzip) {
      response.header(HeaderNames.CONTENT_ENCODING, "gzip");
    }
    response.send(body);
  }

  private boolean acquire() {
    try {
      return permits.tryAcquire(WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Collects and writes all metrics.
   *
   * @throws ApiException.Overloaded if the maximum number of other clients do so
   */
  byte[] render(ExpositionFormatWriter writer, boolean gzip) throws IOException {
    if (!acquire()) {
      throw new ApiException.Overloaded(
          "%d clients are reading the metrics, which is the maximum. Try again later."
              .formatted(MAX_AT_ONCE));
    }
    try {
      ByteArrayOutputStream body = new ByteArrayOutputStream(32 * 1024);
      try (OutputStream out = gzip ? new GZIPOutputStream(body) : body) {
        writer.write(out, metrics.get());
      }
      return body.toByteArray();
    } finally {
      permits.release();
    }
  }
}
