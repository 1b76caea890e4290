package dev.jarvis.telemetry;

import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Metrics;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.instrumentation.micrometer.v1_5.OpenTelemetryMeterRegistry;

/**
 * Brings Helidon's own meters (JVM, garbage collector, threads) and HikariCP's into the SDK:
 * Helidon's metrics are Micrometer's, so they are a source here and no second exporter.
 */
final class MeterBridge implements AutoCloseable {
  private final MeterRegistry registry;

  private MeterBridge(MeterRegistry registry) {
    this.registry = registry;
  }

  static MeterBridge open(OpenTelemetry openTelemetry) {
    MeterRegistry registry = OpenTelemetryMeterRegistry.create(openTelemetry);
    Metrics.addRegistry(registry);
    Services.get(MetricsFactory.class).globalRegistry(); // makes Helidon register its meters
    return new MeterBridge(registry);
  }

  @Override
  public void close() {
    Metrics.removeRegistry(registry);
  }
}
