package dev.jarvis.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Encoded bodies: of JSON and of uploads. */
class RequestContentTest {
  /** The error about it shows that it was read. */
  private static final byte[] JSON = "{\"model\":5,\"messages\":[]}".getBytes(UTF_8);

  private static final String READ = "'model' is 5";
  private static final int LIMIT = 4 << 20;

  private final TestService service = TestService.shared();

  static Stream<Arguments> gzip() throws IOException {
    byte[] whole = compressed(JSON);
    byte[] empty = compressed(new byte[0]);
    byte[] begin = compressed(Arrays.copyOf(JSON, 5));
    byte[] rest = compressed(Arrays.copyOfRange(JSON, 5, JSON.length));
    byte[] flipped = whole.clone();
    flipped[whole.length - 6] ^= 1;
    byte[] named = concat(Arrays.copyOf(whole, 10), new byte[] {2, 0, 7, 7, 'a', 0, 'b', 0, 0, 0});
    named[3] = 2 | 4 | 8 | 16;
    named = concat(named, Arrays.copyOfRange(whole, 10, whole.length));
    byte[] reserved = whole.clone();
    reserved[3] = 32;
    byte[] many = new byte[0];
    for (int i = 0; i < 10; i++) {
      many = concat(many, empty);
    }
    for (int i = 0; i < 12; i++) {
      many = concat(many, many);
    }
    return Stream.of(
        Arguments.of("one member", whole, 400, READ),
        Arguments.of("two members", concat(begin, rest), 400, READ),
        Arguments.of("empty members around it", concat(empty, whole, empty), 400, READ),
        Arguments.of("40960 empty members before it", concat(many, whole), 400, READ),
        Arguments.of("all fields of a header", named, 400, READ),
        Arguments.of("of nothing", empty, 400, "The body is empty"),
        Arguments.of("a bomb", compressed(new byte[64 << 20]), 413, "4194304 bytes"),
        Arguments.of("too large by one", compressed(new byte[LIMIT + 1]), 413, "4194304 bytes"),
        Arguments.of("no gzip", JSON, 400, "is damaged, or is not gzip"),
        Arguments.of("a wrong checksum", flipped, 400, "is damaged"),
        Arguments.of("a reserved flag", reserved, 400, "is damaged"),
        Arguments.of("no end", Arrays.copyOf(whole, whole.length - 4), 400, "ends too early"),
        Arguments.of("only a header", Arrays.copyOf(whole, 10), 400, "ends too early"),
        Arguments.of("half of a header", Arrays.copyOf(whole, 5), 400, "ends too early"),
        Arguments.of("garbage after it", concat(whole, JSON), 400, "bytes after the end"),
        Arguments.of("NULs after it", concat(whole, new byte[8]), 400, "bytes after the end"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("gzip")
  void gzipIsReadWithinTheLimits(String name, byte[] body, int status, String message) {
    for (boolean chunked : new boolean[] {false, true}) {
      HttpResponse<String> response = post(body, chunked, "gzip");

      assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
      assertThat(message(response)).contains(message);
      // released when the request has ended, which is after its response was sent
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> service.metric("http_request_body_reserved_bytes") == 0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "x-gzip", "GZIP", "identity, gzip", " gzip ,identity", ",gzip,"})
  void gzipHasSeveralNames(String coding) throws IOException {
    assertThat(message(post(compressed(JSON), false, coding))).contains(READ);
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "Identity", "identity, identity", ","})
  void identityIsNothing(String coding) {
    assertThat(message(post(JSON, false, coding))).contains(READ);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "deflate | deflate",
        "br | br",
        "zstd | zstd",
        "compress | compress",
        "gzip, gzip | gzip, gzip",
        "br, gzip | br, gzip",
        "*;q=1 | *;q=1"
      })
  void anotherCodingIsRefusedWithWhatIsAllowed(String coding, String shown) {
    for (String path : new String[] {"/v1/chat/completions", "/v1/files"}) {
      HttpResponse<String> response =
          service.send(
              service
                  .request(path, "Content-Encoding", coding)
                  .setHeader("Content-Type", "multipart/form-data; boundary=XX")
                  .POST(BodyPublishers.ofByteArray(JSON))
                  .build());

      assertThat(response.statusCode()).isEqualTo(415);
      assertThat(response.headers().firstValue("Accept-Encoding")).hasValue("gzip, identity");
      assertThat(message(response))
          .isEqualTo(
              "Content-Encoding is '%s'; allowed are 'gzip' and 'identity'.".formatted(shown));
      assertThat(response.body()).contains("unsupported_content_encoding");
    }
  }

  @Test
  void anUploadMayBeCompressed() throws IOException {
    HttpResponse<String> response =
        upload(compressed(form("Moorings cost 14 euros. %s".formatted(System.nanoTime()))));

    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
  }

  @Test
  void anUploadThatIsTooLargeWhenDecompressedIsRefused() throws IOException {
    HttpResponse<String> response = upload(compressed(form("a".repeat(60 << 20))));

    assertThat(response.statusCode()).as(response.body()).isEqualTo(413);
  }

  @Test
  void aDamagedUploadIsRefused() throws IOException {
    byte[] body = compressed(form("Moorings"));

    HttpResponse<String> response = upload(Arrays.copyOf(body, body.length - 3));

    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    assertThat(message(response)).contains("ends too early");
  }

  @Test
  void aByteOrderMarkIsIgnored() {
    assertThat(message(post(concat(new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf}, JSON))))
        .contains(READ);
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE"})
  void otherEncodingsOfTextAreNamed(String charset) {
    byte[] body = new String(JSON, UTF_8).getBytes(Charset.forName(charset));

    assertThat(message(post(body)))
        .isEqualTo("The body seems to be UTF-16 or UTF-32; it must be UTF-8.");
  }

  @Test
  void whatIsNotUtf8IsRefused() {
    assertThat(message(post("{\"model\":\"é\"}".getBytes(ISO_8859_1))))
        .isEqualTo("The body is not valid UTF-8.");
    assertThat(
            message(post(concat(new byte[] {(byte) 0xff, (byte) 0xfe}, "{}".getBytes(UTF_16LE)))))
        .contains("UTF-16");
  }

  private HttpResponse<String> post(byte[] body) {
    return service.send(
        service.request("/v1/chat/completions").POST(BodyPublishers.ofByteArray(body)).build());
  }

  private HttpResponse<String> post(byte[] body, boolean chunked, String coding) {
    HttpRequest.BodyPublisher sent =
        chunked
            ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))
            : BodyPublishers.ofByteArray(body);
    return service.send(
        service.request("/v1/chat/completions", "Content-Encoding", coding).POST(sent).build());
  }

  private HttpResponse<String> upload(byte[] body) {
    return service.send(
        service
            .request("/v1/files", "Content-Encoding", "gzip")
            .setHeader("Content-Type", "multipart/form-data; boundary=XX")
            .POST(BodyPublishers.ofByteArray(body))
            .build());
  }

  private static byte[] form(String text) {
    return ("--XX\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nassistants\r\n"
            + "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
            + text
            + "\r\n--XX--\r\n")
        .getBytes(UTF_8);
  }

  private static String message(HttpResponse<String> response) {
    return TestService.json(response.body()).at("/error/message").asText();
  }

  private static byte[] compressed(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
