package dev.jarvis.document.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/**
 * Clients disconnect while their grounding or search waits for PostgreSQL or for a permit. The
 * statement timeout is longer than the test's.
 */
@Timeout(120)
class GroundingDisconnectTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int SEARCHING = 6;
  private static final int QUEUED = 2;
  private static final String ACTIVE =
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jarvis'"
          + " AND wait_event_type = 'Lock'";
  private static final String POOL =
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'jarvis'";
  private static final String ABORTED =
      "llm_requests_total{model=\"_other\",outcome=\"aborted\",provider=\"_none\"}";
  private static final Logger REQUESTS = (Logger) LoggerFactory.getLogger("dev.jarvis.request");
  private static final int CHATS = (SEARCHING + QUEUED) / 2;

  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_DATABASE_QUERY_TIMEOUT", "110s",
                "JARVIS_DOCUMENTS_WORKERS", "0",
                "JARVIS_DOCUMENTS_MAX_SEARCHES", Integer.toString(SEARCHING),
                "JARVIS_DOCUMENTS_QUEUE_TIMEOUT", "100s"));
    service.awaitModel(service.ollama().model());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static String question() {
    return """
        {"model":"%s","grounding":{},"messages":[{"role":"user","content":"hi"}]}"""
        .formatted(service.ollama().model());
  }

  @Test
  void leavesThePoolsConnectionsUsableAndIdle() throws Exception {
    double failed = failedStatements();
    double aborted = service.metric(ABORTED);
    double closed = closed();
    List<String> before;
    List<RawConnection> clients = new ArrayList<>();
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    REQUESTS.addAppender(lines);
    try (Connection other = service.database().connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE document_chunks IN ACCESS EXCLUSIVE MODE");
      for (int i = 0; i < CHATS; i++) {
        clients.add(new RawConnection(service).send(RawConnection.chat(question())));
        clients.add(new RawConnection(service).send(search()));
      }
      await().atMost(LIMIT).until(() -> pids(ACTIVE).size() == SEARCHING);
      await()
          .atMost(LIMIT)
          .until(() -> service.metric("documents_waiting_requests{kind=\"search\"}") == QUEUED);
      before = pids(POOL);

      for (RawConnection client : clients) {
        client.reset();
      }

      await().atMost(LIMIT).until(() -> closed() == closed + clients.size());
      await().atMost(LIMIT).until(() -> service.metric(ABORTED) == aborted + CHATS);
      assertThat(pids(ACTIVE)).as("statements of disconnected clients").isEmpty();
      assertThat(service.metric("documents_waiting_requests{kind=\"search\"}")).isZero();
      assertThat(pids(POOL)).as("the pool's backends").containsAll(before);
      await().atMost(LIMIT).until(() -> completed(lines).size() == clients.size());
      assertThat(completed(lines))
          .as("a client that disconnects is no fault of the service")
          .allSatisfy(it -> assertThat(it.getLevel()).isEqualTo(Level.INFO));
    } finally {
      REQUESTS.detachAppender(lines);
    }
    for (int i = 0; i < SEARCHING; i++) {
      assertThat(service.chat(question()).statusCode()).isEqualTo(200);
    }
    assertThat(pids(POOL)).as("the pool's backends afterwards").containsAll(before);
    assertThat(failedStatements()).isEqualTo(failed);
    assertThat(service.ollama().requests())
        .as("only requests of connected clients")
        .isEqualTo(SEARCHING);
  }

  private static List<ILoggingEvent> completed(ListAppender<ILoggingEvent> lines) {
    return List.copyOf(lines.list).stream()
        .filter(it -> it.getMessage().equals("request_completed"))
        .filter(it -> !it.getMDCPropertyMap().getOrDefault("route", "").equals("/metrics"))
        .toList();
  }

  private static String search() {
    return RawConnection.chat("{\"query\":\"hi\"}").replace("/v1/chat/completions", "/v1/search");
  }

  private static double closed() {
    return Stream.of("/v1/chat/completions", "/v1/search")
        .mapToDouble(
            it ->
                service.metric(
                    "http_requests_total{method=\"POST\",route=\"%s\",status=\"499\"}"
                        .formatted(it)))
        .sum();
  }

  private static double failedStatements() {
    List<String> series =
        service
            .get("/metrics")
            .body()
            .lines()
            .filter(it -> it.startsWith("db_client_operation_errors_total{"))
            .toList();
    assertThat(series).isNotEmpty();
    return series.stream()
        .mapToDouble(it -> Double.parseDouble(it.substring(it.lastIndexOf(' '))))
        .sum();
  }

  private static List<String> pids(String query) throws SQLException {
    return service.database().rows(query).stream().map(it -> it.get("pid")).toList();
  }
}
