package dev.jarvis.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every query of every panel, run as Grafana would run it: each must find something. */
class DashboardsIT {
  private static final Path DASHBOARDS = Path.of("..", "grafana-provisioning", "dashboards");

  @Test
  void everyQueryOfEveryPanelFindsData() throws IOException {
    Stack.chat("Say hello.", false);
    Stack.chat("Say hello.", true);

    for (JsonNode target : targets()) {
      String expression = target.path("expr").asText().replace("$__rate_interval", "1m");
      if (target.at("/datasource/uid").asText().equals("loki")) {
        Stack.loki(
            expression); // fails on a query that Loki cannot read; no error is the good answer
        continue;
      }
      for (String path : List.of("scrape", "otlp")) {
        String query = expression.replace("$path", path);
        await()
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(() -> assertThat(Stack.prometheus(query)).as(query).isNotEmpty());
      }
    }
  }

  private static List<JsonNode> targets() throws IOException {
    List<JsonNode> targets = new ArrayList<>();
    try (Stream<Path> files = Files.list(DASHBOARDS)) {
      for (Path file : files.filter(it -> it.toString().endsWith(".json")).toList()) {
        for (JsonNode panel : new ObjectMapper().readTree(file.toFile()).path("panels")) {
          panel.path("targets").forEach(targets::add);
        }
      }
    }
    assertThat(targets).isNotEmpty();
    return targets;
  }
}
