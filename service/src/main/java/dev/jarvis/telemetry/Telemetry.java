package dev.jarvis.telemetry;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.prometheus.PrometheusMetricReader;
import io.opentelemetry.instrumentation.logback.appender.v1_0.OpenTelemetryAppender;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.resources.Resource;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Configures and owns the OpenTelemetry SDK. The standard {@code OTEL_*} variables keep their
 * meaning. The defaults of the service are OTLP over HTTP, metrics every 15 s, and every trace
 * sampled.
 */
public final class Telemetry implements AutoCloseable {
  private static final String SCOPE = "dev.jarvis";

  /** The time limit of the last export at shutdown. */
  private static final Duration FLUSH_LIMIT = Duration.ofSeconds(2);

  private final OpenTelemetrySdk sdk;
  private final PrometheusMetricReader prometheus;
  private final Tracer tracer;
  private final Instruments instruments;
  private final MeterBridge bridge;

  private Telemetry(OpenTelemetrySdk sdk, PrometheusMetricReader prometheus) {
    this.sdk = sdk;
    this.prometheus = prometheus;
    this.tracer = sdk.getTracer(SCOPE);
    this.instruments = new Instruments(sdk.getMeter(SCOPE));
    this.bridge = MeterBridge.open(sdk);
    OpenTelemetryAppender.install(sdk);
    LogOutput.countIn(instruments);
  }

  /**
   * Configures the SDK and starts exporting.
   *
   * @param instance {@code host:port} by which Prometheus scrapes this replica: the default of
   *     {@code service.instance.id}, so that both paths of a metric carry the same {@code instance}
   * @throws io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException if an {@code OTEL_*}
   *     value is invalid
   */
  public static Telemetry start(String version, String instance) {
    PrometheusMetricReader prometheus =
        PrometheusMetricReader.builder()
            .setOtelScopeLabelsEnabled(false)
            .setTargetInfoMetricEnabled(false)
            .build();
    ExportHealth health = new ExportHealth();
    Resource defaults =
        Resource.builder()
            .put("service.version", version)
            .put("service.instance.id", instance)
            .build();
    OpenTelemetrySdk sdk =
        AutoConfiguredOpenTelemetrySdk.builder()
            .disableShutdownHook()
            .addPropertiesSupplier(
                () ->
                    Map.of(
                        "otel.service.name", "jarvis-api",
                        "otel.exporter.otlp.protocol", "http/protobuf",
                        "otel.metric.export.interval", "15000",
                        "otel.traces.sampler", "always_on",
                        "otel.experimental.sdk.telemetry.version", "latest"))
            .addResourceCustomizer((resource, config) -> defaults.merge(resource))
            .addMeterProviderCustomizer((meters, config) -> meters.registerMetricReader(prometheus))
            .addSpanExporterCustomizer((exporter, config) -> health.watch(exporter))
            .addMetricExporterCustomizer((exporter, config) -> health.watch(exporter))
            .addLogRecordExporterCustomizer((exporter, config) -> health.watch(exporter))
            .build()
            .getOpenTelemetrySdk();
    return new Telemetry(sdk, prometheus);
  }

  public OpenTelemetry openTelemetry() {
    return sdk;
  }

  public Tracer tracer() {
    return tracer;
  }

  public Instruments instruments() {
    return instruments;
  }

  /** Starts an operation under the current span. */
  public ClientOperation operation(ClientOperation.Target target, String name) {
    return new ClientOperation(tracer, instruments, target, name);
  }

  /** The metrics for a scrape. Collecting removes the exemplars recorded so far. */
  public MetricSnapshots collect() {
    return prometheus.collect();
  }

  /**
   * Exports the remaining data within two seconds. The SDK's own shutdown waits longer for a
   * collector that does not respond.
   */
  @Override
  public void close() {
    bridge.close();
    Thread flush =
        Thread.ofPlatform()
            .daemon()
            .name("telemetry-flush")
            .start(() -> sdk.shutdown().join(FLUSH_LIMIT.toMillis(), TimeUnit.MILLISECONDS));
    try {
      flush.join(FLUSH_LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
