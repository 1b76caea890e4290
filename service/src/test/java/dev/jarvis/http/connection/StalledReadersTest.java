package dev.jarvis.http.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that request more than the sockets' buffers hold, and read little or nothing of it. */
@Timeout(120)
class StalledReadersTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String CHAT = "/v1/chat/completions";

  /** The size of a response; the buffers of the loopback interface hold about 3 MiB. */
  private static final int LARGE_BYTES = 12 << 20;

  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service =
        TestService.start(
            Map.of(
                "JARVIS_SERVER_WRITE_TIMEOUT", "2s",
                "JARVIS_CHAT_MAX_CONCURRENT", "2",
                "JARVIS_DOCUMENTS_WORKERS", "0"));
    service.awaitModel(service.ollama().model());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @AfterEach
  void reset() {
    service.ollama().reset();
  }

  private static String question(boolean stream) {
    return "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
        .formatted(service.ollama().model(), stream);
  }

  private static void answerAtLength() {
    String text = "x".repeat(32 << 10);
    service
        .ollama()
        .answerWith(
            "{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(text),
            LARGE_BYTES / text.length());
  }

  @Test
  void aStreamIsDisconnected() throws Exception {
    answerAtLength();
    assertGivenUp("POST", CHAT, CHAT, question(true));
    assertThat(service.metric(aborted())).isPositive();
  }

  @Test
  void aWholeAnswerIsDisconnected() throws Exception {
    answerAtLength();
    assertGivenUp("POST", CHAT, CHAT, question(false));
  }

  @Test
  void aReaderBelowTheMinimumRateIsDisconnected() throws Exception {
    answerAtLength();
    String gone = gone("POST", CHAT);
    double before = service.metric(gone);
    try (Socket socket = ask("POST", CHAT, question(true))) {
      InputStream in = socket.getInputStream();
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                takeALittle(in);
                assertThat(service.metric(gone)).isEqualTo(before + 1);
              });
    }
  }

  private static void takeALittle(InputStream in) {
    try {
      assertThat(in.readNBytes(100)).isNotNull();
    } catch (IOException e) {
      // the server has closed it
    }
  }

  @Test
  void aFastReaderOfASlowModelIsServedToTheEnd() {
    service.ollama().pauseBetweenPieces(Duration.ofSeconds(1)); // longer than the limit in all

    HttpResponse<String> response = service.chat(question(true));

    assertThat(response.body()).contains("data: [DONE]");
  }

  @Test
  void embeddingsAreDisconnected() throws Exception {
    int inputs = 100;
    String vector = "[" + "0.12345678,".repeat(12_000) + "1]";
    service
        .ollama()
        .embedWith(
            "{\"model\":\"%s\",\"embeddings\":[%s%s],\"prompt_eval_count\":1}"
                .formatted(service.ollama().model(), (vector + ",").repeat(inputs - 1), vector));
    String request =
        "{\"model\":\"%s\",\"input\":[%s\"x\"]}"
            .formatted(service.ollama().model(), "\"x\",".repeat(inputs - 1));
    assertGivenUp("POST", "/v1/embeddings", "/v1/embeddings", request);
  }

  @Test
  void aDownloadIsDisconnected() throws Exception {
    HttpResponse<String> uploaded =
        service.send(
            service
                .request("/v1/files")
                .setHeader("Content-Type", "multipart/form-data; boundary=XX")
                .POST(
                    BodyPublishers.ofString(
                        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
                            + "words ".repeat(LARGE_BYTES / 6)
                            + "\r\n--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nassistants\r\n--XX--\r\n"))
                .build());
    assertThat(uploaded.statusCode()).as(uploaded.body()).isEqualTo(200);
    String id = TestService.json(uploaded.body()).path("id").asText();
    assertGivenUp("GET", "/v1/files/%s/content".formatted(id), "/v1/files/{id}/content", "");
  }

  @Test
  void aListOfFilesIsDisconnected() throws Exception {
    service
        .database()
        .execute(
            """
            INSERT INTO documents (id, user_id, filename, purpose, media_type, sha256, stage, state, due_at, upload_trace)
            SELECT gen_random_uuid(), 'admin', repeat('x', 1000), 'assistants', 'text/plain', 'n' || n, 'index', 'done', now(), ''
            FROM generate_series(1, 10000) n
            """);
    assertGivenUp("GET", "/v1/files?limit=10000", "/v1/files", "");
  }

  private static String aborted() {
    return "llm_requests_total{model=\"%s\",outcome=\"aborted\",provider=\"ollama\"}"
        .formatted(service.ollama().model());
  }

  private static String gone(String method, String route) {
    return "http_requests_total{method=\"%s\",route=\"%s\",status=\"499\"}"
        .formatted(method, route);
  }

  private static void assertGivenUp(String method, String path, String route, String body)
      throws IOException {
    String gone = gone(method, route);
    double before = service.metric(gone);
    try (Socket first = ask(method, path, body);
        Socket second = ask(method, path, body)) {
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                assertThat(service.get("/health/live").statusCode()).isEqualTo(200);
                assertThat(service.metric(gone)).isEqualTo(before + 2);
              });
      assertThat(first.isConnected()).isTrue();
      assertThat(second.isConnected()).isTrue();
    }
    assertThat(
            service.metric(
                "http_requests_total{method=\"%s\",route=\"%s\",status=\"500\"}"
                    .formatted(method, route)))
        .isZero();
    assertThat(service.metric("http_responses_broken_total{route=\"%s\"}".formatted(route)))
        .as("it is no fault of the service")
        .isZero();
    service.ollama().reset();
    assertThat(service.chat(question(false)).statusCode())
        .as("the permits are free again")
        .isEqualTo(200);
  }

  private static Socket ask(String method, String path, String body) throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4 << 10);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), service.port()));
    socket
        .getOutputStream()
        .write(
            "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(method, path, TestService.KEY, body.length(), body)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }
}
