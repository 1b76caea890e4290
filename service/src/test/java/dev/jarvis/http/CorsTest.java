package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts of web pages, as browsers send their requests. */
class CorsTest {
  private static final String PAGE = "https://app.example";
  private static final String ALLOW_ORIGIN = "access-control-allow-origin";

  private static TestService some;
  private static TestService any;

  @BeforeAll
  static void start() throws Exception {
    some =
        TestService.start(
            Map.of(
                "JARVIS_SERVER_CORS_ALLOWED_ORIGINS", "HTTPS://App.example:443,tauri://localhost"));
    any = some.replica(Map.of("JARVIS_SERVER_CORS_ALLOWED_ORIGINS", "*"));
    some.awaitModel(some.ollama().model());
    any.awaitModel(some.ollama().model());
  }

  @AfterAll
  static void stop() {
    any.close();
    some.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/v1/chat/completions | POST | POST",
        "/v1/models | GET | GET, HEAD",
        "/v1/models | DELETE | GET, HEAD",
        "/v1/files/file-a | DELETE | GET, HEAD, DELETE",
        "/v1/files | POST | POST, GET, HEAD",
        "/health | GET | GET, HEAD"
      })
  void aPreflightIsAnsweredWithTheMethodsOfThePath(String path, String method, String methods)
      throws Exception {
    Map<String, String> answer =
        ask(
            some,
            "OPTIONS " + path,
            "Origin: " + PAGE,
            "Access-Control-Request-Method: " + method,
            "Access-Control-Request-Headers: authorization,content-type,x-stainless-os,openai-beta");

    assertThat(answer)
        .containsEntry("", "204")
        .containsEntry(ALLOW_ORIGIN, PAGE)
        .containsEntry("vary", "Origin")
        .containsEntry(
            "access-control-allow-headers", "authorization,content-type,x-stainless-os,openai-beta")
        .containsEntry("access-control-max-age", "3600")
        .doesNotContainKey("access-control-allow-credentials");
    assertThat(String.valueOf(answer.get("access-control-allow-methods")).split(", ", -1))
        .containsExactlyInAnyOrder(methods.split(", ", -1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "a;b", "a,,b", "é", "authorization: x", ""})
  void namesThatAreNoHeadersAreNotRepeated(String names) throws Exception {
    Map<String, String> answer =
        ask(
            some,
            "OPTIONS /v1/models",
            "Origin: " + PAGE,
            "Access-Control-Request-Method: GET",
            "Access-Control-Request-Headers: " + names);

    assertThat(answer).containsEntry("", "204").doesNotContainKey("access-control-allow-headers");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://app.example.evil.example",
        "http://app.example",
        "null",
        "https://app.example/"
      })
  void anotherPageGetsNoPermission(String origin) throws Exception {
    Map<String, String> preflight =
        ask(some, "OPTIONS /v1/models", "Origin: " + origin, "Access-Control-Request-Method: GET");
    Map<String, String> get = ask(some, "GET /v1/models", "Origin: " + origin);

    assertThat(preflight).containsEntry("", "405").doesNotContainKey(ALLOW_ORIGIN);
    assertThat(get)
        .containsEntry("", "200")
        .containsEntry("vary", "Origin")
        .doesNotContainKey(ALLOW_ORIGIN);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET /v1/models | | 200",
        "GET /health | | 200",
        "GET /v1/models | Authorization: Bearer wrong | 401",
        "GET /nothing | | 404",
        "OPTIONS /nothing | Access-Control-Request-Method: GET | 404",
        "DELETE /v1/models | | 405",
        "OPTIONS /v1/models | X-A: b | 405",
        "POST /v1/files | Content-Length: 999999999999 | 413",
        "POST /v1/search | Transfer-Encoding: chunked, chunked, | 400",
        "GET /metrics | | 200"
      })
  void everyResponseHasThePermission(String request, String header, String status)
      throws Exception {
    String more = header == null ? "X-B: c" : header;
    Map<String, String> answer = ask(some, request, "Origin: " + PAGE, more);

    assertThat(answer).containsEntry("", status).containsEntry(ALLOW_ORIGIN, PAGE);
    assertThat(answer.get("vary")).contains("Origin");
    assertThat(answer.get("access-control-expose-headers"))
        .contains("x-request-id", "x-jarvis-model", "retry-after");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void chatsHaveItToo(boolean stream) {
    var response =
        some.chat(
            "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
                .formatted(some.ollama().model(), stream),
            "Origin",
            "tauri://localhost");

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue(ALLOW_ORIGIN)).hasValue("tauri://localhost");
  }

  @Test
  void aStarAllowsEveryPage() throws Exception {
    for (String origin : new String[] {PAGE, "null", "chrome-extension://abc"}) {
      assertThat(ask(any, "GET /v1/models", "Origin: " + origin))
          .containsEntry(ALLOW_ORIGIN, "*")
          .doesNotContainKey("vary");
      assertThat(
              ask(
                  any,
                  "OPTIONS /v1/models",
                  "Origin: " + origin,
                  "Access-Control-Request-Method: GET"))
          .containsEntry("", "204")
          .containsEntry(ALLOW_ORIGIN, "*");
    }
  }

  @Test
  void itIsOffByDefault() throws Exception {
    TestService off = TestService.shared();

    assertThat(ask(off, "GET /v1/models", "Origin: " + PAGE))
        .containsEntry("", "200")
        .doesNotContainKeys(ALLOW_ORIGIN, "vary");
    assertThat(
            ask(off, "OPTIONS /v1/models", "Origin: " + PAGE, "Access-Control-Request-Method: GET"))
        .containsEntry("", "405");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "https://app.example | https://app.example",
        "HTTPS://App.Example:443 | https://app.example",
        "http://localhost:80 | http://localhost",
        "http://localhost:3000 | http://localhost:3000",
        "http://[::1]:3000 | http://[::1]:3000",
        "app://obsidian.md | app://obsidian.md",
        "chrome-extension://abc | chrome-extension://abc",
        "* | *"
      })
  void originsAreReadAsBrowsersWriteThem(String text, String origin) {
    assertThat(Origin.parse(text).text()).isEqualTo(origin);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "https://app.example/ | leave out all from '/' on",
        "https://app.example/chat?a=b | leave out all from '/chat?a=b' on",
        "null | 'null' is the origin",
        "app.example | is not a scheme",
        "https:// | is not a scheme",
        "https://user@app.example | is not a scheme",
        "https://app.example:99999 | not a port",
        "https://*.example | wildcard",
        "https://bücher.example | is not a scheme",
        "https://a b | is not a scheme"
      })
  void whatIsNoOriginIsRefused(String text, String message) {
    assertThatThrownBy(() -> Origin.parse(text)).hasMessageContaining(message);
  }

  @Test
  void aWrongOriginStopsTheStart() {
    assertThatThrownBy(
            () ->
                TestService.start(
                    Map.of("JARVIS_SERVER_CORS_ALLOWED_ORIGINS", "https://app.example/")))
        .hasMessageContaining("JARVIS_SERVER_CORS_ALLOWED_ORIGINS")
        .hasMessageContaining("has a path");
  }

  /** The headers of the response; the empty name is that of the status. */
  private static Map<String, String> ask(TestService service, String request, String... headers)
      throws Exception {
    String key = "Authorization: Bearer " + TestService.KEY;
    boolean keyed = Arrays.stream(headers).anyMatch(it -> it.startsWith("Authorization"));
    try (RawConnection client = new RawConnection(service)) {
      client
          .send(
              "%s HTTP/1.1\r\nHost: x\r\n%s%s\r\nConnection: close\r\n\r\n"
                  .formatted(request, keyed ? "" : key + "\r\n", String.join("\r\n", headers)))
          .halfClose();
      String head = client.readAll().split("\r\n\r\n", 2)[0];
      Map<String, String> answer = new TreeMap<>();
      answer.put("", head.substring(9, 12));
      head.lines()
          .skip(1)
          .map(it -> it.split(": ", 2))
          .forEach(
              it -> answer.merge(it[0].toLowerCase(Locale.ROOT), it[1], (a, b) -> a + ", " + b));
      return answer;
    }
  }
}
