package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.webserver.http.ServerRequest;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** The content of requests, without the codings of {@code Content-Encoding}. */
public final class RequestContent {
  /** What a request may be encoded in: the header {@code Accept-Encoding} of an error. */
  static final String ACCEPTED = "gzip, identity";

  private static final int MAX_SHOWN = 64;

  private RequestContent() {}

  /**
   * The content of a request, decoded while it is read.
   *
   * @param maxBytes the maximum size of decoded content; reading more throws {@link
   *     ApiException.BodyTooLarge}. Content that is not encoded is not limited here.
   * @throws ApiException.UnsupportedContentEncoding if it has another coding than gzip, or several
   */
  public static InputStream open(ServerRequest request, long maxBytes) {
    return open(request, maxBytes, UnaryOperator.identity());
  }

  /**
   * As {@link #open(ServerRequest, long)}.
   *
   * @param wrapper of the content as it arrives, before it is decoded
   */
  public static InputStream open(
      ServerRequest request, long maxBytes, UnaryOperator<InputStream> wrapper) {
    if (!request.content().hasEntity()) {
      return InputStream.nullInputStream();
    }
    boolean gzip = isGzip(request.headers());
    InputStream content = wrapper.apply(request.content().inputStream());
    if (!gzip) {
      return content;
    }
    GzipContent decoded = new GzipContent(content, maxBytes);
    Exchange.of(request).atEnd(decoded::close);
    return decoded;
  }

  /** Whether the content is encoded, so that its size is unknown. */
  static boolean isGzip(ServerRequestHeaders headers) {
    List<String> codings = new ArrayList<>();
    for (String value : headers.all(HeaderNames.CONTENT_ENCODING, List::of)) {
      for (String coding : value.split(",", -1)) {
        String name = coding.strip().toLowerCase(Locale.ROOT);
        if (!name.isEmpty() && !name.equals("identity")) {
          codings.add(name.equals("x-gzip") ? "gzip" : name);
        }
      }
    }
    if (codings.isEmpty() || codings.equals(List.of("gzip"))) {
      return !codings.isEmpty();
    }
    String shown = String.join(", ", codings).replaceAll("[^!-~ ]", "_");
    throw new ApiException.UnsupportedContentEncoding(
        "Content-Encoding is '%s'; allowed are 'gzip' and 'identity'."
            .formatted(shown.substring(0, Math.min(shown.length(), MAX_SHOWN))));
  }
}
