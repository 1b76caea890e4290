package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.ChunkedFramingTest;
import dev.jarvis.http.connection.RawConnection;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sends requests that two parsers could delimit differently, over a raw socket. They are refused
 * and the connection is closed.
 */
class FramingTest {
  /** The smuggled request: what an attacker wants to be served as a second request. */
  private static final String SMUGGLED = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

  /** Makes the server close a connection that it would keep. */
  private static final String LAST =
      "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  /** The rest of a request to the chat route after its first headers. */
  static Stream<String> ambiguous() {
    Stream<String> heads =
        Stream.of(
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\n{}",
            "Content-Length: 2\r\nTransfer-Encoding:\r\n\r\n{}",
            "Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}",
            "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            "Content-Length: 2, 2\r\n\r\n{}",
            "Content-Length: 2,2\r\n\r\n{}",
            "Content-Length: 2 2\r\n\r\n{}",
            "Content-Length: +2\r\n\r\n{}",
            "Content-Length: -2\r\n\r\n{}",
            "Content-Length: -0\r\n\r\n{}",
            "Content-Length: 0x2\r\n\r\n{}",
            "Content-Length: 2.0\r\n\r\n{}",
            "Content-Length:\r\n\r\n{}",
            "Content-Length: \r\n\r\n{}",
            "Content-Length: 2\0\r\n\r\n{}",
            "Content-Length: 9223372036854775808\r\n\r\n{}",
            "Content-Length: 18446744073709551618\r\n\r\n{}",
            "Content-Length: 2\r\n 2\r\n\r\n{}",
            "Content-Length:\r\n 2\r\n\r\n{}",
            "Content-Length : 2\r\n\r\n{}",
            " Content-Length: 2\r\n\r\n{}",
            "X-A: b\nContent-Length: 2\r\n\r\n{}",
            "X-A: b\rContent-Length: 2\r\n\r\n{}",
            "Content-Length: 2\n\n{}",
            "Content-Length: 2\r\n\n{}",
            "Content-Length: 2\r\nno colon\r\n\r\n{}");
    Stream<String> codings =
        Stream.of(
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: \"chunked\"",
                "Transfer-Encoding: chunked;q=1",
                "Transfer-Encoding: \u000bchunked",
                "Transfer-Encoding: chunked,",
                "Transfer-Encoding: ,chunked",
                "Transfer-Encoding:",
                "Transfer-Encoding: identity",
                "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: chunked, gzip",
                "Transfer-Encoding: chunked, identity",
                "Transfer-Encoding: chunked, chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
                "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding:\r\n chunked",
                "Transfer-Encoding: chunked\r\n , identity",
                "Transfer-Encoding : chunked",
                " Transfer-Encoding: chunked",
                "X-A: b\nTransfer-Encoding: chunked")
            .map(it -> it + "\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    Stream<String> chunks =
        ChunkedFramingTest.malformed().map(it -> "Transfer-Encoding: chunked\r\n\r\n" + it);
    return Stream.of(heads, codings, chunks).flatMap(it -> it);
  }

  @ParameterizedTest
  @MethodSource("ambiguous")
  void ambiguousFramingIsRefusedAndTheConnectionClosed(String headersAndBody) throws Exception {
    String request = head("POST", "/v1/chat/completions") + headersAndBody;
    try (RawConnection client = new RawConnection(TestService.shared())) {
      client.send(request + SMUGGLED).halfClose(); // so that the server does not wait for more

      String answer = client.readAll();

      assertThat(answer).startsWith("HTTP/1.1 400 ").containsIgnoringCase("Connection: close");
      assertThat(answer).contains("\"error\"", "\"request_id\"");
      assertThat(statuses(answer)).as("one answer only").containsExactly("400");
    }
  }

  @ParameterizedTest
  @MethodSource("ambiguous")
  void ambiguousFramingIsRefusedOnAConnectionInUseToo(String headersAndBody) throws Exception {
    String request = head("POST", "/v1/chat/completions") + headersAndBody;
    try (RawConnection client = new RawConnection(TestService.shared())) {
      client.send("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").readUntil("}");

      client.send(request + SMUGGLED).halfClose();
      String answer = client.readAll();

      assertThat(statuses(answer)).as("one answer only").containsExactly("400");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /health/live HTTP/1.1\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health/live HTTP/1.1\nHost: a\r\n\r\n",
        "GET  /health/live HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET /health/live HTTP/1.1\r\nHost: a\r\n\r\n",
        "{}GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n",
      })
  void malformedHeadsAreTheClientsFault(String head) throws Exception {
    assertThat(statuses(exchange(head + SMUGGLED))).containsExactly("400");
  }

  @ParameterizedTest
  @MethodSource("dev.jarvis.http.connection.ChunkedFramingTest#wellFormed")
  void wellFormedChunksAreReadAndTheConnectionStaysOpen(String body) throws Exception {
    String request =
        head("POST", "/v1/chat/completions") + "Transfer-Encoding: chunked\r\n\r\n" + body;

    String answer = exchange(request + request + LAST);

    // {} is not a valid chat, so this error shows that the body was read
    assertThat(statuses(answer)).containsExactly("400", "400", "200");
    assertThat(answer).contains("'model'").doesNotContain("framing");
  }

  /** The client waits for the server to read, so no chunk arrives with the head. */
  @ParameterizedTest
  @MethodSource("dev.jarvis.http.connection.ChunkedFramingTest#wellFormed")
  void wellFormedChunksMayArriveAfterTheHead(String body) throws Exception {
    String head =
        head("POST", "/v1/chat/completions")
            + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    try (RawConnection client = new RawConnection(TestService.shared())) {
      client.send(head).readUntil("100 Continue\r\n\r\n");
      int half = body.length() / 2;
      client.send(body.substring(0, half)).send(body.substring(half) + LAST);

      assertThat(statuses(client.readAll())).containsExactly("400", "200");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.jarvis.http.connection.ChunkedFramingTest#malformed")
  void malformedChunksMayArriveAfterTheHeadToo(String body) throws Exception {
    String head =
        head("POST", "/v1/chat/completions")
            + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    try (RawConnection client = new RawConnection(TestService.shared())) {
      client.send(head).readUntil("100 Continue\r\n\r\n");
      client.send(body + SMUGGLED).halfClose();
      String answer = client.readAll();

      assertThat(statuses(answer)).as("one answer only").containsExactly("400");
    }
  }

  /** RFC 9112, section 2.2; some clients send one after a body. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anEmptyLineBeforeARequestIsIgnored(boolean atOnce) throws Exception {
    String get = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    try (RawConnection client = new RawConnection(TestService.shared())) {
      if (atOnce) {
        client.send("\r\n" + get + "\r\n" + get + "\r\n" + LAST);
      } else {
        client.send("\r\n").send(get).readUntil("}");
        client.send("\r\n").send(get).readUntil("}");
        client.send("\r\n" + LAST);
      }
      assertThat(statuses(client.readAll())).hasSize(atOnce ? 3 : 1).containsOnly("200");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Chunked", "CHUNKED", " \tchunked\t "})
  void theCodingMayBeWrittenInAnyCase(String coding) throws Exception {
    String request =
        head("POST", "/v1/chat/completions")
            + "Transfer-Encoding:"
            + coding
            + "\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

    assertThat(statuses(exchange(request + request + LAST))).containsExactly("400", "400", "200");
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
  void anUnreadBodyClosesTheConnection() throws Exception {
    String answer =
        exchange(
            "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + SMUGGLED);

    assertThat(answer).startsWith("HTTP/1.1 200 ");
    assertThat(answer.split("HTTP/1.1 ", -1)).hasSize(2);
  }

  /** Every GET route, and what has no route. */
  static Stream<String> paths() {
    return Stream.concat(
        TestService.shared().routes().templates().entrySet().stream()
            .filter(it -> it.getValue().contains("GET"))
            .map(it -> it.getKey().replace("{id}", "file-none")),
        Stream.of("/v1/chat/completions", "/nothing"));
  }

  @ParameterizedTest
  @MethodSource("paths")
  void headIsAnsweredAsGetIsWithoutTheBody(String path) throws Exception {
    String heads = exchange(head("HEAD", path) + "\r\n" + LAST);
    String gets = exchange(head("GET", path) + "\r\n" + LAST);

    String head = heads.split("\r\n\r\n", 2)[0];
    assertThat(heads.split("\r\n\r\n", 2)[1])
        .as("nothing between the heads")
        .startsWith("HTTP/1.1 200 ");
    assertThat(statuses(heads)).isEqualTo(statuses(gets)).hasSize(2);
    assertThat(names(head)).isEqualTo(names(gets.split("\r\n\r\n", 2)[0]));
    assertThat(head).containsPattern("(?i)Content-Length: [1-9]");
    if (head.contains(" 405 ")) {
      assertThat(head).contains("Allow: POST");
    }
  }

  @Test
  void headIsListedAndCountedAsAMethod() throws Exception {
    String series = "http_requests_total{method=\"HEAD\",route=\"/health/live\",status=\"200\"}";
    double before = TestService.shared().metric(series);

    exchange(head("HEAD", "/health/live") + "\r\n" + LAST);
    HttpResponse<String> refused = TestService.shared().post("/v1/models", "{}");

    assertThat(TestService.shared().metric(series)).isEqualTo(before + 1);
    assertThat(refused.headers().firstValue("Allow")).hasValue("GET, HEAD");
  }

  private static List<String> names(String head) {
    return head.lines().skip(1).map(it -> it.split(":", 2)[0].toLowerCase(Locale.ROOT)).toList();
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
  void malformedRequestsGetAnErrorInTheApisShape() throws Exception {
    assertThat(exchange("GET  /x y HTTP/1.1\r\n\r\n"))
        .startsWith("HTTP/1.1 400 ")
        .contains("malformed_request");
  }

  private static List<String> statuses(String answers) {
    return Pattern.compile("HTTP/1\\.1 (\\d{3}) ")
        .matcher(answers)
        .results()
        .map(it -> it.group(1))
        .toList();
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
