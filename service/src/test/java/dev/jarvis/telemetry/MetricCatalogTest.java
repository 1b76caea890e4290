package dev.jarvis.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What {@code /metrics} returns, compared with the catalogue of metrics. */
class MetricCatalogTest {
  @Test
  void everySpecifiedMetricAppearsAtTheStart() {
    TestService.shared().get("/health"); // a histogram appears with its first value
    String text = TestService.shared().get("/metrics").body();

    assertThat(text)
        .contains("# TYPE http_requests_total counter")
        .contains(
            "http_requests_total{method=\"POST\",route=\"/v1/chat/completions\",status=\"200\"}")
        .contains("# TYPE http_request_duration_seconds histogram")
        .contains("# TYPE llm_requests_total counter")
        .contains("# TYPE llm_tokens_total counter")
        .contains("# TYPE active_users gauge")
        .contains(
            "http_responses_broken_total{route=\"/v1/chat/completions\"}",
            "dependency_up{dependency=\"ollama\"}");
  }

  @Test
  void everyFamilyOfTheServiceIsInTheCatalogueWithItsType() {
    TestService service = TestService.shared();
    service.chat("{}");
    Map<String, String> catalogue =
        Arrays.stream(Metric.values())
            .collect(Collectors.toMap(Metric::prometheusName, MetricCatalogTest::prometheusType));
    Set<String> prefixes =
        Arrays.stream(Metric.values())
            .map(it -> it.instrument().replace('.', '_').replaceFirst("_.*", "_"))
            .collect(Collectors.toSet());

    assertThat(service.get("/metrics").body().lines())
        .filteredOn(it -> it.startsWith("# TYPE "))
        .map(it -> it.split(" "))
        .filteredOn(it -> prefixes.stream().anyMatch(it[2]::startsWith))
        .isNotEmpty()
        .allSatisfy(it -> assertThat(catalogue).containsEntry(it[2], it[3]));
  }

  @Test
  void noUnitIsOne() {
    assertThat(Metric.values())
        .as("by OTLP Prometheus would append _ratio to its name")
        .noneMatch(it -> it.unit().equals("1"));
  }

  @Test
  void metricsShowOnlyTheLabelsOfTheCatalogue() {
    TestService service = TestService.shared();
    service.chat("{}");
    String text = service.get("/metrics").body();

    for (Metric metric : Metric.values()) {
      Set<String> allowed =
          metric.labels().stream().map(Label::prometheusName).collect(Collectors.toSet());
      if (metric.type() == Metric.Type.HISTOGRAM) {
        allowed.add("le");
      }
      text.lines()
          .filter(it -> it.matches(metric.prometheusName() + "(_bucket|_sum|_count)?[{ ].*"))
          .forEach(it -> assertThat(labelNames(it)).as(it).isSubsetOf(allowed));
    }
  }

  private static String prometheusType(Metric metric) {
    return switch (metric.type()) {
      case COUNTER -> "counter";
      case UP_DOWN_COUNTER, GAUGE -> "gauge";
      case HISTOGRAM -> "histogram";
    };
  }

  private static Set<String> labelNames(String line) {
    if (!line.contains("{")) {
      return Set.of();
    }
    String labels = line.substring(line.indexOf('{') + 1, line.lastIndexOf('}'));
    return Arrays.stream(labels.split("\",?"))
        .filter(it -> it.contains("=\"") || it.endsWith("="))
        .map(it -> it.substring(0, it.indexOf('=')))
        .collect(Collectors.toSet());
  }
}
