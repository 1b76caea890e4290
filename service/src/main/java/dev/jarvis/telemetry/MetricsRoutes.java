package dev.jarvis.telemetry;

import dev.jarvis.http.Routes;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * {@code GET /metrics}: Prometheus text, OpenMetrics with exemplars when asked for, gzip when
 * accepted.
 */
public final class MetricsRoutes {
  private static final Pattern GZIP =
      Pattern.compile("(^|[,\\s])gzip(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))");

  private final Telemetry telemetry;
  private final ExpositionFormats formats = ExpositionFormats.init();

  public MetricsRoutes(Telemetry telemetry) {
    this.telemetry = telemetry;
  }

  public void register(Routes routes) {
    routes.get("/metrics", Routes.Access.METRICS_TOKEN, this::metrics);
  }

  private void metrics(ServerRequest request, ServerResponse response) throws IOException {
    ExpositionFormatWriter writer =
        formats.findWriter(request.headers().first(HeaderNames.ACCEPT).orElse(""));
    String accepted = request.headers().first(HeaderNames.ACCEPT_ENCODING).orElse("");
    boolean gzip = GZIP.matcher(accepted).find();
    ByteArrayOutputStream body = new ByteArrayOutputStream(32 * 1024);
    try (OutputStream out = gzip ? new GZIPOutputStream(body) : body) {
      writer.write(out, telemetry.collect());
    }
    response.header(HeaderNames.CONTENT_TYPE, writer.getContentType());
    response.header(HeaderNames.VARY, "Accept, Accept-Encoding");
    if (gzip) {
      response.header(HeaderNames.CONTENT_ENCODING, "gzip");
    }
    response.send(body.toByteArray());
  }
}
