package dev.jarvis.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The catalogue of metrics, the document and what /metrics shows must say the same. */
class MetricCatalogTest {
  private static final Path DOCUMENT = Path.of("../docs/telemetry.md");

  @Test
  void theDocumentListsEveryMetricAndLabel() throws IOException {
    assertThat(Files.readString(DOCUMENT))
        .as("docs/telemetry.md: put these tables between its marks")
        .contains(metrics())
        .contains(labels());
  }

  @Test
  void everyMetricOfTheSeedShowsFromTheStart() {
    TestService.shared().get("/health"); // a histogram shows with its first value
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

  private static String metrics() {
    return Arrays.stream(Metric.values())
        .map(
            it ->
                "| `%s` | %s | %s | %s |%n"
                    .formatted(
                        it.prometheusName(),
                        it.type().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                        it.labels().isEmpty()
                            ? "none"
                            : it.labels().stream()
                                .map(label -> "`" + label.prometheusName() + "`")
                                .collect(Collectors.joining(", ")),
                        it.description()))
        .collect(Collectors.joining());
  }

  private static String labels() {
    return Arrays.stream(Label.values())
        .map(it -> "| `%s` | %s |%n".formatted(it.prometheusName(), it.bound()))
        .collect(Collectors.joining());
  }
}
