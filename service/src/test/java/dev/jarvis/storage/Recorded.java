package dev.jarvis.storage;

import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizer;
import io.opentelemetry.sdk.autoconfigure.spi.AutoConfigurationCustomizerProvider;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.metrics.data.PointData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The spans and metrics of a test: the production telemetry with an additional span processor and
 * metric reader, which the SDK loads as an extension.
 */
public final class Recorded implements AutoConfigurationCustomizerProvider {
  private static volatile InMemorySpanExporter spans = InMemorySpanExporter.create();
  private static volatile InMemoryMetricReader metrics = InMemoryMetricReader.create();

  @Override
  public void customize(AutoConfigurationCustomizer sdk) {
    spans = InMemorySpanExporter.create(); // the previous one is closed with its telemetry
    metrics = InMemoryMetricReader.create();
    sdk.addTracerProviderCustomizer(
            (tracers, config) -> tracers.addSpanProcessor(SimpleSpanProcessor.create(spans)))
        .addMeterProviderCustomizer((meters, config) -> meters.registerMetricReader(metrics));
  }

  /** Starts telemetry without exporters and discards what was recorded before. */
  public static Telemetry start() {
    for (String signal : List.of("traces", "metrics", "logs")) {
      System.setProperty("otel." + signal + ".exporter", "none");
    }
    return Telemetry.start("test", "localhost:0");
  }

  public static List<SpanData> spans() {
    return spans.getFinishedSpanItems();
  }

  public static List<SpanData> spans(String name) {
    return spans().stream().filter(it -> it.getName().equals(name)).toList();
  }

  /**
   * Returns the value of a counter or gauge, or the count of a histogram; empty without a series.
   */
  public static Optional<Long> value(Metric metric, String... labels) {
    return metrics.collectAllMetrics().stream()
        .filter(it -> it.getName().equals(metric.instrument()))
        .flatMap(it -> points(it).stream())
        .filter(it -> hasLabels(it, metric, labels))
        .map(Recorded::number)
        .findFirst();
  }

  private static List<? extends PointData> points(MetricData data) {
    return List.copyOf(data.getData().getPoints());
  }

  private static boolean hasLabels(PointData point, Metric metric, String... labels) {
    Map<?, Object> attributes = Attributes.builder().putAll(point.getAttributes()).build().asMap();
    for (int i = 0; i < labels.length; i++) {
      if (!labels[i].equals(attributes.get(metric.labels().get(i).key()))) {
        return false;
      }
    }
    return attributes.size() == labels.length;
  }

  private static long number(PointData point) {
    return switch (point) {
      case io.opentelemetry.sdk.metrics.data.LongPointData it -> it.getValue();
      case io.opentelemetry.sdk.metrics.data.DoublePointData it -> Math.round(it.getValue());
      case io.opentelemetry.sdk.metrics.data.HistogramPointData it -> it.getCount();
      default -> throw new IllegalArgumentException("no number in " + point);
    };
  }
}
