package dev.jarvis.http;

import dev.jarvis.http.connection.Connections;
import io.helidon.http.DirectHandler.TransportRequest;
import io.helidon.http.Status;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Why the server refused a request before any filter ran. The message is for the client and for the
 * log: the server's own messages repeat parts of the request, such as a header's value or a query,
 * so they only choose between messages of ours.
 *
 * @param code of the error, for programs
 */
record Refusal(Status status, String code, String message) {
  private static final String MALFORMED = "malformed_request";
  private static final String FRAMING = "ambiguous_framing";

  private static final Status HEAD_TOO_LARGE =
      Status.create(431, "Request Header Fields Too Large"); // RFC 6585

  private static final Pattern VERSION = Pattern.compile("(?:^| )(HTTP/\\d(?:\\.\\d)?)/?$");
  private static final Pattern BAD_VALUE =
      Pattern.compile("of the header value is invalid for header '([!-~]{1,64})'$");

  /** What the server says, from its beginning, and what we say. */
  private record Known(String begin, String code, String message) {}

  private static final List<Known> KNOWN =
      List.of(
          new Known(
              "Invalid prologue: Found",
              MALFORMED,
              "The request line must end in a carriage return and a line feed, and contain neither elsewhere."),
          new Known(
              "Found ",
              MALFORMED,
              "A header must end in a carriage return and a line feed, and contain neither elsewhere."),
          new Known("Invalid header, missing colon", MALFORMED, "A header has no colon."),
          new Known(
              "Token contains",
              MALFORMED,
              "The name of a header has a character that is not allowed, such as a space before the colon."),
          new Known("Host header must be present", MALFORMED, "The header Host is missing."),
          new Known("Only a single Host header", MALFORMED, "There is more than one header Host."),
          new Known("Host header must not be empty", MALFORMED, "The header Host is empty."),
          new Known(
              "Invalid Host header",
              MALFORMED,
              "The header Host must be a host name or address, with or without a port."),
          new Known(
              "Invalid port of the host header",
              MALFORMED,
              "The header Host must be a host name or address, with or without a port."),
          new Known(
              "Query ",
              MALFORMED,
              "The query of the path has a character that is not allowed, or a % without two hexadecimal digits."),
          new Known(
              "Fragment ", MALFORMED, "The request line has a fragment (#) that is not valid."),
          new Known(
              "Transfer-Encoding and Content-Length",
              FRAMING,
              "Ambiguous message framing: there are both Transfer-Encoding and Content-Length."),
          new Known(
              "Content-Length header must have exactly one value",
              FRAMING,
              "Ambiguous message framing: there is more than one Content-Length."),
          new Known(
              "Content length is not a number",
              FRAMING,
              "Ambiguous message framing: Content-Length must be digits, at most 9223372036854775807."),
          new Known("Transfer-Encoding header must contain a value", FRAMING, transferEncoding()),
          new Known("Final Transfer-Encoding", FRAMING, transferEncoding()),
          new Known("Chunked Transfer-Encoding", FRAMING, transferEncoding()),
          new Known("Unsupported request transfer encoding", FRAMING, transferEncoding()));

  private static String transferEncoding() {
    return "Ambiguous message framing: Transfer-Encoding must be \"chunked\".";
  }

  /**
   * The reason for which the server refused a request.
   *
   * @param request as much of it as the server has understood
   * @param message the server's own, null or a fixed text if it may not be shown
   */
  static Refusal of(TransportRequest request, Status status, @Nullable String message) {
    String said = message == null ? "" : message;
    return switch (status.code()) {
      case 408 ->
          new Refusal(status, "head_too_slow", "The request's head did not arrive in time.");
      case 414 ->
          new Refusal(
              status,
              "request_line_too_long",
              "The request line is too long; the maximum is %d bytes."
                  .formatted(Connections.MAX_REQUEST_LINE_BYTES));
      case 503 ->
          new Refusal(status, "overloaded", "The server has too many requests; try again later.");
      case 505 -> version(request.protocolVersion());
      default -> malformed(request, said);
    };
  }

  private static Refusal malformed(TransportRequest request, String said) {
    if (said.equals("Header size exceeded")) {
      return new Refusal(
          HEAD_TOO_LARGE,
          "head_too_large",
          "The headers are too large; the maximum is %d bytes in total."
              .formatted(Connections.MAX_HEADER_BYTES));
    }
    for (Known known : KNOWN) {
      if (said.startsWith(known.begin)) {
        return new Refusal(Status.BAD_REQUEST_400, known.code, known.message);
      }
    }
    Matcher value = BAD_VALUE.matcher(said);
    if (value.find()) {
      return badRequest(
          "The value of the header %s has a character that is not allowed."
              .formatted(value.group(1)));
    }
    return requestLine(request);
  }

  /** The server does not say what is wrong with a request line, but how far it understood it. */
  private static Refusal requestLine(TransportRequest request) {
    String version = request.protocolVersion();
    Matcher other = VERSION.matcher(version);
    if (version.equals("HTTP/1.1") && !request.path().isEmpty()) {
      return badRequest(
          "The path has a character that is not allowed, or a % without two hexadecimal digits.");
    }
    return other.find() && !other.group(1).equals("HTTP/1.1")
        ? version(other.group(1))
        : badRequest(
            "The request line must be a method, a path and HTTP/1.1, with one space between them.");
  }

  private static Refusal version(String version) {
    return new Refusal(
        Status.HTTP_VERSION_NOT_SUPPORTED_505,
        "http_version_not_supported",
        "The request uses %s; this server speaks HTTP/1.1 only.%s"
            .formatted(
                version,
                version.equals("HTTP/1.0")
                    ? " If it came through nginx, set \"proxy_http_version 1.1;\" there."
                    : ""));
  }

  private static Refusal badRequest(String message) {
    return new Refusal(Status.BAD_REQUEST_400, MALFORMED, message);
  }
}
