package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import java.util.List;

/**
 * Refuses requests whose end two readers could see in different places (request smuggling), where
 * Helidon does not: it takes {@code Transfer-Encoding: Chunked}, or a list with empty elements, and
 * is lax within chunks. Everything else of RFC 9112, sections 6.1 and 6.3, it refuses before any
 * filter runs.
 */
public final class Framing {
  private Framing() {}

  /**
   * Checks a request's head, and as much of its body as has come; the rest is checked as it comes.
   *
   * @throws ApiException.AmbiguousFraming unless the end of the body is told in one plain way
   */
  public static void check(ServerRequestHeaders headers) {
    if (!headers.contains(HeaderNames.TRANSFER_ENCODING)) {
      return;
    }
    if (!headers.all(HeaderNames.TRANSFER_ENCODING, List::of).equals(List.of("chunked"))) {
      throw refused("Transfer-Encoding must be \"chunked\"");
    }
    if (!ClientConnection.current().expectChunks()) {
      throw refused("a chunk is malformed");
    }
  }

  private static ApiException refused(String reason) {
    return new ApiException.AmbiguousFraming("Ambiguous message framing: " + reason + ".");
  }
}
