package dev.jarvis.telemetry;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.GoldenFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The catalogue of metrics as people read it, and as the generators of rules and dashboards do. */
class MetricsGoldenTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void reference() throws IOException {
    GoldenFile.check(
        "docs/metrics.md",
        """
        # Metrics

        Every metric that the service defines, with its labels. Generated from `Metric.java` and `Label.java` by `make generate`;
        what the numbers mean in practice is in [telemetry.md](telemetry.md).

        | metric | type | unit | labels | meaning |
        |---|---|---|---|---|
        %s
        ## Labels

        Each label has a bounded set of values, whatever clients send. Where metrics differ in the values of a label, each set names its metrics.

        | label | values | metrics |
        |---|---|---|
        %s"""
            .formatted(metrics(), labels()));
  }

  @Test
  void catalogueForTheGenerators() throws IOException {
    GoldenFile.check(
        "stack/prometheus/metrics.json",
        Arrays.stream(Metric.values())
            .map(MetricsGoldenTest::json)
            .collect(joining(",\n  ", "[\n  ", "\n]\n")));
  }

  private static String metrics() {
    return Arrays.stream(Metric.values())
        .map(
            it ->
                "| `%s` | %s | %s | %s | %s |\n"
                    .formatted(
                        it.prometheusName(),
                        type(it),
                        it.unit().isEmpty() ? "" : "`" + it.unit() + "`",
                        it.labels().stream()
                            .map(label -> "`" + label.prometheusName() + "`")
                            .collect(joining(", ")),
                        it.description()))
        .collect(joining());
  }

  private static String labels() {
    return Arrays.stream(Label.values())
        .map(
            it ->
                "| `%s` | %s | %s |\n"
                    .formatted(
                        it.prometheusName(), it.bound(), sharesItsName(it) ? metricsWith(it) : ""))
        .collect(joining());
  }

  private static boolean sharesItsName(Label label) {
    return Arrays.stream(Label.values())
        .anyMatch(it -> it != label && it.prometheusName().equals(label.prometheusName()));
  }

  private static String metricsWith(Label label) {
    return Arrays.stream(Metric.values())
        .filter(it -> it.labels().contains(label))
        .map(it -> "`" + it.prometheusName() + "`")
        .collect(joining(", "));
  }

  private static String json(Metric metric) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", metric.prometheusName());
    fields.put("type", type(metric));
    fields.put("unit", metric.unit());
    fields.put("labels", metric.labels().stream().map(Label::prometheusName).toList());
    if (metric.type() == Metric.Type.HISTOGRAM) {
      fields.put("buckets", List.copyOf(metric.buckets()));
    }
    fields.put("description", metric.description());
    try {
      return JSON.writeValueAsString(fields);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String type(Metric metric) {
    return metric.type().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
