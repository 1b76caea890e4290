package dev.jarvis.telemetry;

import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Metrics;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.instrumentation.micrometer.v1_5.OpenTelemetryMeterRegistry;

/**
 * Registers Helidon's meters (JVM, garbage collector, threads) and HikariCP's, which are Micrometer
 * meters, with the SDK, so that no second exporter is needed.
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
