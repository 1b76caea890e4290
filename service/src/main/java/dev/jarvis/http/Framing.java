package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import java.util.List;

/**
 * Refuses requests that two parsers could delimit differently (request smuggling). Covers only what
 * Helidon accepts: a list with empty elements, and malformed chunks. Helidon itself refuses all
 * other violations of RFC 9112, sections 6.1 and 6.3, before any filter runs.
 */
public final class Framing {
  private Framing() {}

  /**
   * Checks a request's head and the part of its body that has arrived; the rest is checked when it
   * arrives.
   *
   * @throws ApiException.AmbiguousFraming if the end of the body is ambiguous
   */
  public static void check(ServerRequestHeaders headers) {
    if (!headers.contains(HeaderNames.TRANSFER_ENCODING)) {
      return;
    }
    List<String> codings = headers.all(HeaderNames.TRANSFER_ENCODING, List::of);
    if (codings.size() != 1 || !codings.getFirst().equalsIgnoreCase("chunked")) {
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
