package dev.jarvis.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import java.util.regex.Pattern;

/**
 * Refuses requests whose end two readers could see in different places (request smuggling): RFC
 * 9112, sections 6.1 and 6.3, which Helidon 4.1.7's parser lets through in part.
 */
public final class Framing {
  private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");

  private Framing() {}

  /**
   * Checks a request's headers before its body is read.
   *
   * @throws ApiException.AmbiguousFraming unless the end of the body is told in one plain way
   */
  public static void check(ServerRequestHeaders headers) {
    boolean length = headers.contains(HeaderNames.CONTENT_LENGTH);
    boolean encoded = headers.contains(HeaderNames.TRANSFER_ENCODING);
    if (length && encoded) {
      throw refused("Content-Length and Transfer-Encoding together");
    }
    if (length) {
      Header header = headers.get(HeaderNames.CONTENT_LENGTH);
      if (header.valueCount() != 1 || !LENGTH.matcher(header.get()).matches()) {
        throw refused("Content-Length must be one number");
      }
    }
    if (encoded) {
      Header header = headers.get(HeaderNames.TRANSFER_ENCODING);
      if (header.valueCount() != 1 || !header.get().equals("chunked")) {
        throw refused("Transfer-Encoding must be \"chunked\"");
      }
    }
  }

  private static ApiException refused(String reason) {
    return new ApiException.AmbiguousFraming("Ambiguous message framing: " + reason + ".");
  }
}
