package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.jarvis.TestService;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The log lines of requests. */
class RequestLogTest {
  @RegisterExtension private final RequestLines recorded = new RequestLines();
  private final List<ILoggingEvent> lines = recorded.lines();

  @Test
  void successfulProbesAndScrapesHaveNoLines() throws Exception {
    try (TestService service = TestService.start(Map.of())) {
      for (String path : List.of("/health", "/health/live", "/health/ready", "/metrics")) {
        assertThat(service.get(path).statusCode()).as(path).isEqualTo(200);
      }
      assertThat(service.get("/v1/models").statusCode()).isEqualTo(200);

      awaitCompleted("/v1/models");
      assertThat(lines)
          .extracting(it -> it.getMessage() + " " + it.getMDCPropertyMap().get("route"))
          .containsExactly("request_started /v1/models", "request_completed /v1/models");
    }
  }

  @Test
  void failedProbesAndScrapesHaveTheLastLine() throws Exception {
    Map<String, String> settings =
        Map.of("JARVIS_METRICS_TOKEN", "t0ken", "JARVIS_OLLAMA_URL", "http://127.0.0.1:1");
    try (TestService service = TestService.start(settings)) {
      assertThat(service.get("/metrics", "Authorization", "Bearer no").statusCode()).isEqualTo(401);
      awaitCompleted("/metrics");
      assertThat(service.get("/health/ready", "Authorization", "Bearer t0ken").statusCode())
          .isEqualTo(503);
      awaitCompleted("/health/ready");
      assertThat(lines).extracting(ILoggingEvent::getMessage).containsOnly("request_completed");
      assertThat(lines)
          .extracting(
              it ->
                  it.getKeyValuePairs().stream()
                      .filter(pair -> pair.key.equals("status"))
                      .findFirst()
                      .orElseThrow()
                      .value)
          .containsExactly(401, 503);
    }
  }

  @Test
  void theLineOfARefusedRequestNamesTheLimit() throws Exception {
    Map<String, String> settings =
        Map.of(
            "JARVIS_LIMITS_USER_REQUESTS_PER_MINUTE", "1",
            "JARVIS_LIMITS_SEARCH_REQUESTS_PER_MINUTE", "1");
    try (TestService service = TestService.start(settings)) {
      service.awaitModel("fake:1b");
      for (int i = 0; i < 2; i++) {
        service.chat(
            "{\"model\":\"fake:1b\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}");
        service.post("/v1/search", "{\"query\":\"q\"}");
      }

      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () ->
                  assertThat(lines)
                      .flatExtracting(ILoggingEvent::getKeyValuePairs)
                      .filteredOn(it -> it != null && it.key.equals("limited_by"))
                      .extracting(it -> it.value)
                      .containsExactlyInAnyOrder("user_requests", "route_requests"));
      assertThat(lines).extracting(ILoggingEvent::getLevel).doesNotContain(Level.ERROR);
    }
  }

  private void awaitCompleted(String route) {
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                lines.stream()
                    .anyMatch(
                        it ->
                            it.getMessage().equals("request_completed")
                                && route.equals(it.getMDCPropertyMap().get("route"))));
  }
}
