package dev.jarvis.telemetry;

import static java.util.Objects.requireNonNull;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.DoubleCounter;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.ObservableLongMeasurement;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The instruments of the {@link Metric} catalogue. Recording never blocks. */
public final class Instruments {
  private final Meter meter;
  private final Map<Metric, DoubleCounter> counters = new EnumMap<>(Metric.class);
  private final Map<Metric, LongUpDownCounter> upDownCounters = new EnumMap<>(Metric.class);
  private final Map<Metric, DoubleHistogram> histograms = new EnumMap<>(Metric.class);

  public Instruments(Meter meter) {
    this.meter = meter;
    for (Metric metric : Metric.values()) {
      switch (metric.type()) {
        case COUNTER -> counters.put(metric, counter(metric));
        case UP_DOWN_COUNTER -> upDownCounters.put(metric, upDownCounter(metric));
        case HISTOGRAM -> histograms.put(metric, histogram(metric));
        case GAUGE -> {} // registered by the owner of its value: see gauge()
      }
    }
  }

  /**
   * Adds to a counter or an up-down counter.
   *
   * @param amount 0 makes the series appear
   * @param labels one value for each of the metric's labels, in their order
   */
  public void add(Metric metric, double amount, String... labels) {
    DoubleCounter counter = counters.get(metric);
    if (counter != null) {
      counter.add(amount, attributes(metric, labels));
    } else {
      requireNonNull(upDownCounters.get(metric)).add((long) amount, attributes(metric, labels));
    }
  }

  /** Records a duration, with an exemplar if the current span is sampled. */
  public void record(Metric metric, Duration duration, String... labels) {
    requireNonNull(histograms.get(metric))
        .record(duration.toNanos() / 1e9, attributes(metric, labels));
  }

  /** Registers a gauge whose value is read at each collection. The supplier must not block. */
  public AutoCloseable gauge(Metric metric, LongSupplier value) {
    return observed(metric, it -> it.record(value.getAsLong()));
  }

  /** Registers a gauge of decimals. The supplier must not block. */
  public AutoCloseable decimalGauge(Metric metric, DoubleSupplier value) {
    return meter
        .gaugeBuilder(metric.instrument())
        .setUnit(metric.unit())
        .setDescription(metric.description())
        .buildWithCallback(it -> it.record(value.getAsDouble()));
  }

  /**
   * Registers a gauge with one label. The supplier returns values by label value; the number of
   * label values must be bounded.
   */
  public AutoCloseable gauges(Metric metric, Supplier<Map<String, Long>> values) {
    return observed(
        metric,
        it -> values.get().forEach((label, value) -> it.record(value, attributes(metric, label))));
  }

  /**
   * Registers a gauge with several labels. The supplier returns values by label values, in order.
   */
  public AutoCloseable gaugesByLabels(Metric metric, Supplier<Map<List<String>, Long>> values) {
    return observed(
        metric,
        it ->
            values
                .get()
                .forEach(
                    (labels, value) ->
                        it.record(value, attributes(metric, labels.toArray(String[]::new)))));
  }

  private AutoCloseable observed(Metric metric, Consumer<ObservableLongMeasurement> callback) {
    return meter
        .gaugeBuilder(metric.instrument())
        .ofLongs()
        .setUnit(metric.unit())
        .setDescription(metric.description())
        .buildWithCallback(callback);
  }

  private static Attributes attributes(Metric metric, String... values) {
    if (values.length != metric.labels().size()) {
      throw new IllegalArgumentException(
          metric + " has the labels " + metric.labels() + "; got " + values.length + " values");
    }
    AttributesBuilder attributes = Attributes.builder();
    for (int i = 0; i < values.length; i++) {
      attributes.put(metric.labels().get(i).key(), values[i]);
    }
    return attributes.build();
  }

  private DoubleCounter counter(Metric metric) {
    return meter
        .counterBuilder(metric.instrument())
        .ofDoubles()
        .setUnit(metric.unit())
        .setDescription(metric.description())
        .build();
  }

  private LongUpDownCounter upDownCounter(Metric metric) {
    return meter
        .upDownCounterBuilder(metric.instrument())
        .setUnit(metric.unit())
        .setDescription(metric.description())
        .build();
  }

  private DoubleHistogram histogram(Metric metric) {
    return meter
        .histogramBuilder(metric.instrument())
        .setUnit(metric.unit())
        .setDescription(metric.description())
        .setExplicitBucketBoundariesAdvice(metric.buckets())
        .build();
  }
}
