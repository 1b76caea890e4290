package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.jarvis.TestService;
import dev.jarvis.storage.Recorded;
import io.opentelemetry.api.common.AttributeKey;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** The client address in a request's log line and span. */
class ClientAddressTest {
  private final List<ILoggingEvent> lines = new CopyOnWriteArrayList<>();

  @Test
  void behindATrustedProxyTheLineAndTheSpanNameTheClient() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger("dev.jarvis.request");
    AppenderBase<ILoggingEvent> appender =
        new AppenderBase<>() {
          @Override
          protected void append(ILoggingEvent event) {
            lines.add(event);
          }
        };
    appender.start();
    logger.addAppender(appender);
    try (TestService service =
        TestService.start(Map.of("JARVIS_SERVER_TRUSTED_PROXIES", "127.0.0.0/8"))) {
      assertAddress(service, "1.2.3.4", "X-Forwarded-For", "6.6.6.6, 1.2.3.4");
      assertAddress(service, "2001:db8:0:0:0:0:0:1", "Forwarded", "for=\"[2001:db8::1]:47011\"");
      assertAddress(service, "127.0.0.1", "X-Forwarded-For", "<script>,".repeat(400));
      assertAddress(service, "127.0.0.1");
    } finally {
      logger.detachAppender(appender);
    }
  }

  private void assertAddress(TestService service, String address, String... headers) {
    String id = service.get("/v1/models", headers).headers().firstValue("x-request-id").orElse("");
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              assertThat(lines)
                  .filteredOn(it -> id.equals(it.getMDCPropertyMap().get("request_id")))
                  .filteredOn(it -> it.getMessage().equals("request_completed"))
                  .singleElement()
                  .satisfies(it -> assertThat(field(it, "client_address")).isEqualTo(address));
              assertThat(Recorded.spans("GET /v1/models"))
                  .filteredOn(
                      it ->
                          id.equals(
                              it.getAttributes().get(AttributeKey.stringKey("jarvis.request_id"))))
                  .singleElement()
                  .satisfies(
                      it ->
                          assertThat(
                                  it.getAttributes().get(AttributeKey.stringKey("client.address")))
                              .isEqualTo(address));
            });
  }

  private static Object field(ILoggingEvent line, String key) {
    return line.getKeyValuePairs().stream()
        .filter(it -> it.key.equals(key))
        .map(it -> it.value)
        .findFirst()
        .orElse("none");
  }
}
