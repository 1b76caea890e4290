package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.spi.ILoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the client and the log are told about requests that no filter sees. */
class MalformedRequestsTest {
  private static final String SECRET = "s3cr3t";

  @RegisterExtension private final RequestLines recorded = new RequestLines();
  private final List<ILoggingEvent> lines = recorded.lines();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          # request; $ is the end of a line, K a thousand letters, S a secret | status | code | message | method and path in the log
          GET /health HTTP/1.0$Host: x$$                      | 505 | http_version_not_supported | The request uses HTTP/1.0; this server speaks HTTP/1.1 only. If it came through nginx, set "proxy_http_version 1.1;" there. | GET /health
          HEAD /health HTTP/1.0$$                             | 505 | http_version_not_supported | | HEAD /health
          OPTIONS / HTTP/1.0$$                                | 505 | http_version_not_supported | The request uses HTTP/1.0; this server speaks HTTP/1.1 only. If it came through nginx, set "proxy_http_version 1.1;" there. | OPTIONS /
          GET /a?key=S HTTP/1.0$Authorization: Bearer S$$     | 505 | http_version_not_supported | The request uses HTTP/1.0; this server speaks HTTP/1.1 only. If it came through nginx, set "proxy_http_version 1.1;" there. | GET /a
          PRI * HTTP/2.0$$SM$$                                | 505 | http_version_not_supported | The request uses HTTP/2.0; this server speaks HTTP/1.1 only. | _OTHER *
          GET /health HTTP/2$$                                | 505 | http_version_not_supported | The request uses HTTP/2; this server speaks HTTP/1.1 only. | GET /health
          GET /health HTTP/1.2$$                              | 505 | http_version_not_supported | The request uses HTTP/1.2; this server speaks HTTP/1.1 only. | GET /health
          GET /health http/1.1$$                              | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | GET /health
          GET /health$$                                       | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | GET
          GET  /health HTTP/1.1$Host: x$$                     | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | GET
          GET /a b HTTP/1.1$Host: x$$                         | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | GET /a
          hello$$                                             | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | _OTHER
          \\26\\3\\1 \\0$$                     | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | _OTHER
          $$GET /health HTTP/1.1$Host: x$$                    | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | _OTHER
          GET /a%zz?key=S HTTP/1.1$Host: x$$                  | 400 | malformed_request | The path has a character that is not allowed, or a % without two hexadecimal digits. | GET /a%zz
          GET /a\\7"b HTTP/1.1$Host: x$$                  | 400 | malformed_request | The path has a character that is not allowed, or a % without two hexadecimal digits. | GET /a_"b
          GET /a?key=S<> HTTP/1.1$Host: x$$                   | 400 | malformed_request | The query of the path has a character that is not allowed, or a % without two hexadecimal digits. | GET /a
          GET /a#<S> HTTP/1.1$Host: x$$                       | 400 | malformed_request | The request line has a fragment (#) that is not valid. | GET /a
          GET /health HTTP/1.1\\nHost: x$$                    | 400 | malformed_request | The request line must be a method, a path and HTTP/1.1, with one space between them. | GET /health
          GET /health\\rHTTP/1.1$Host: x$$                    | 400 | malformed_request | The request line must end in a carriage return and a line feed, and contain neither elsewhere. | _OTHER
          GET /health HTTP/1.1$Host: x\\nX-A: S$$             | 400 | malformed_request | The value of the header Host has a character that is not allowed. | GET /health
          GET /health HTTP/1.1$Host: x\\rX-A: S$$             | 400 | malformed_request | A header must end in a carriage return and a line feed, and contain neither elsewhere. | GET /health
          GET /health HTTP/1.1$Host: x$S$$                    | 400 | malformed_request | A header has no colon. | GET /health
          GET /health HTTP/1.1$Host : x$$                     | 400 | malformed_request | The name of a header has a character that is not allowed, such as a space before the colon. | GET /health
          GET /health HTTP/1.1$Host: x$X-(A): S$$             | 400 | malformed_request | The name of a header has a character that is not allowed, such as a space before the colon. | GET /health
          GET /health HTTP/1.1$Host: x$X-A: S\\0$$        | 400 | malformed_request | The value of the header X-A has a character that is not allowed. | GET /health
          GET /health HTTP/1.1$Host: x$Authorization: \\1S$$ | 400 | malformed_request | The value of the header Authorization has a character that is not allowed. | GET /health
          GET /health HTTP/1.1$$                              | 400 | malformed_request | The header Host is missing. | GET /health
          GET /health HTTP/1.1$Host: a$Host: b$$              | 400 | malformed_request | There is more than one header Host. | GET /health
          GET /health HTTP/1.1$Host:$$                        | 400 | malformed_request | The header Host is empty. | GET /health
          GET /health HTTP/1.1$Host: a b$$                    | 400 | malformed_request | The header Host must be a host name or address, with or without a port. | GET /health
          GET /health HTTP/1.1$Host: a:S$$                    | 400 | malformed_request | The header Host must be a host name or address, with or without a port. | GET /health
          GET /KKKKKKKKK HTTP/1.1$Host: x$$                   | 414 | request_line_too_long | The request line is too long; the maximum is 8000 bytes. | _OTHER
          GET /health HTTP/1.1$Host: x$X-A: KKKKKKKKKKKKKKKKKK$$ | 431 | head_too_large | The headers are too large; the maximum is 16384 bytes in total. | GET /health
          GET /health HTTP/1.1$Host: x$KKKKKKKKKKKKKKKKKK: a$$ | 431 | head_too_large | The headers are too large; the maximum is 16384 bytes in total. | GET /health
          GET /health HTTP/1.1$Host: x$A: KKKKKKKK$B: KKKKKKKKKK$$ | 431 | head_too_large | The headers are too large; the maximum is 16384 bytes in total. | GET /health
          POST /v1/search HTTP/1.1$Host: x$Content-Length: 2$Transfer-Encoding: chunked$$ | 400 | ambiguous_framing | Ambiguous message framing: there are both Transfer-Encoding and Content-Length. | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Content-Length: 2$Content-Length: 2$$ | 400 | ambiguous_framing | Ambiguous message framing: there is more than one Content-Length. | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Content-Length: +2$$ | 400 | ambiguous_framing | Ambiguous message framing: Content-Length must be digits, at most 9223372036854775807. | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Content-Length: 99999999999999999999$$ | 400 | ambiguous_framing | Ambiguous message framing: Content-Length must be digits, at most 9223372036854775807. | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Transfer-Encoding:$$ | 400 | ambiguous_framing | Ambiguous message framing: Transfer-Encoding must be "chunked". | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Transfer-Encoding: gzip$$ | 400 | ambiguous_framing | Ambiguous message framing: Transfer-Encoding must be "chunked". | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Transfer-Encoding: gzip, chunked$$ | 400 | ambiguous_framing | Ambiguous message framing: Transfer-Encoding must be "chunked". | POST /v1/search
          POST /v1/search HTTP/1.1$Host: x$Transfer-Encoding: chunked$Transfer-Encoding: chunked$$ | 400 | ambiguous_framing | Ambiguous message framing: Transfer-Encoding must be "chunked". | POST /v1/search
          POST /v1/files HTTP/1.1$Host: x$Content-Length: 999999999999$$ | 413 | body_too_large | The body is too large; the maximum is 53477376 bytes. | POST /v1/files
          """)
  void theClientAndTheLogAreToldWhatIsWrong(
      String request, int status, String code, String message, String logged) throws Exception {
    double before = count(logged, status);

    String answer = answer(request);
    String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);

    assertThat(answer).startsWith("HTTP/1.1 " + status).containsIgnoringCase("Connection: close");
    if (message != null) {
      JsonNode error = TestService.json(body).path("error");
      assertThat(error.path("message").asText()).isEqualTo(message);
      assertThat(error.path("code").asText()).isEqualTo(code);
      assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
    } else {
      assertThat(body).isEmpty();
    }
    await().atMost(Duration.ofSeconds(10)).until(() -> !lines.isEmpty());
    assertThat(lines).hasSize(1);
    Map<String, Object> line =
        lines.getFirst().getKeyValuePairs().stream()
            .collect(Collectors.toMap(it -> it.key, it -> it.value));
    assertThat((line.get("method") + " " + line.get("path")).strip()).isEqualTo(logged);
    assertThat(line).containsEntry("status", status).containsEntry("client_address", "127.0.0.1");
    assertThat(line.get("error")).asString().isNotBlank().doesNotContain(SECRET);
    assertThat(line.get("path")).asString().doesNotContain(SECRET);
    if (message != null) {
      assertThat(line).containsEntry("error", message);
    }
    assertThat(count(logged, status)).isEqualTo(before + 1);
  }

  private static String answer(String request) throws Exception {
    String text =
        request
            .replace("$", "\r\n")
            .replace("K", "k".repeat(1_000))
            .replace("=S", "=" + SECRET)
            .replace(" S", " " + SECRET)
            .translateEscapes();
    try (RawConnection client = new RawConnection(TestService.shared())) {
      client.send(text).halfClose();
      return client.readAll();
    }
  }

  private static double count(String logged, int status) {
    return TestService.shared()
        .metric(
            "http_requests_total{method=\"%s\",route=\"_unmatched\",status=\"%d\"}"
                .formatted(logged.split(" ", 2)[0], status));
  }
}
