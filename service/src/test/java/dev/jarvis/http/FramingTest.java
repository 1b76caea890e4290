package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that two readers could end in different places, over a raw socket: refused, and the
 * connection closed.
 */
class FramingTest {
  /** What a smuggler hopes to have served as a second request. */
  private static final String SMUGGLED = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "Content-Length: 2, 2\r\n\r\n{}",
        "Content-Length: +2\r\n\r\n{}",
        "Content-Length: -2\r\n\r\n{}",
        "Content-Length: 0x2\r\n\r\n{}",
        "Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n{}",
        "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n{}\r\n0\r\n\r\n",
      })
  void ambiguousFramingIsRefusedAndTheConnectionClosed(String headersAndBody) throws Exception {
    String answer = exchange(head("POST", "/v1/chat/completions") + headersAndBody + SMUGGLED);

    assertThat(answer).startsWith("HTTP/1.1 400 ").containsIgnoringCase("Connection: close");
    assertThat(answer).contains("\"error\"", "\"request_id\"");
    assertThat(answer.split("HTTP/1.1 ", -1)).as("one answer only").hasSize(2);
  }

  @Test
  void aChunkLargerThanAnyBodyIsRefusedByItsHeader() throws Exception {
    String answer =
        exchange(
            head("POST", "/v1/chat/completions")
                + "Transfer-Encoding: chunked\r\n\r\n7ffffff0\r\n{}");

    assertThat(answer).startsWith("HTTP/1.1 413 ").contains("4194304 bytes");
  }

  @Test
  void aBodyThatNobodyReadsEndsTheConnection() throws Exception {
    String answer =
        exchange(
            "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + SMUGGLED);

    assertThat(answer).startsWith("HTTP/1.1 200 ");
    assertThat(answer.split("HTTP/1.1 ", -1)).hasSize(2);
  }

  @Test
  void anErrorToHeadHasNoBodyAndEndsTheConnection() throws Exception {
    String answer = exchange("HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED);

    assertThat(answer).startsWith("HTTP/1.1 405 ").endsWith("\r\n\r\n").doesNotContain("{");
    assertThat(answer.split("HTTP/1.1 ", -1)).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"close", "Close", "TE, close"})
  void connectionIsClosedWhenTheClientAsksForIt(String option) throws Exception {
    String answer =
        exchange(
            "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n".formatted(option)
                + SMUGGLED);

    assertThat(answer).startsWith("HTTP/1.1 200 ");
    assertThat(answer.split("HTTP/1.1 ", -1)).hasSize(2);
  }

  @Test
  void connectionIsClosedWhenAnErrorLeavesABodyUnread() throws Exception {
    String answer =
        exchange(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: "
                + SMUGGLED.length()
                + "\r\n\r\n"
                + SMUGGLED);

    assertThat(answer).startsWith("HTTP/1.1 401 ").containsIgnoringCase("Connection: close");
    assertThat(answer.split("HTTP/1.1 ", -1)).hasSize(2);
  }

  @Test
  void requestsThatAreNoHttpGetTheDialectsError() throws Exception {
    assertThat(exchange("GET  /x y HTTP/1.1\r\n\r\n"))
        .startsWith("HTTP/1.1 400 ")
        .contains("malformed_request");
  }

  private static String head(String method, String path) {
    return method
        + " "
        + path
        + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        + TestService.KEY
        + "\r\n";
  }

  /** Sends bytes and reads until the server closes; a server that does not close fails the test. */
  private static String exchange(String request) throws IOException {
    try (Socket socket =
        new Socket(InetAddress.getLoopbackAddress(), TestService.shared().port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
