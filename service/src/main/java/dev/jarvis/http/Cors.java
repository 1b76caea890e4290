package dev.jarvis.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Lets scripts of web pages use the API (the <a
 * href="https://fetch.spec.whatwg.org/#http-cors-protocol">CORS protocol</a>). Helidon's own module
 * is not used: it sets its headers per path and before the handler, so errors would be without
 * them.
 */
public final class Cors {
  private static final String EXPOSED =
      "x-request-id, x-jarvis-model, x-jarvis-provider, x-jarvis-route, x-jarvis-ignored, x-jarvis-corrected, x-jarvis-truncated, x-jarvis-cache, x-jarvis-budget, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens, retry-after, content-disposition";

  /** The names of headers, of limited number and length: a browser repeats what it asked for. */
  private static final Pattern NAMES =
      Pattern.compile(
          "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}(?:[ \\t]*,[ \\t]*[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}){0,63}");

  private static final HeaderName REQUEST_METHOD = HeaderNames.ACCESS_CONTROL_REQUEST_METHOD;
  private static final Header VARY = HeaderValues.create(HeaderNames.VARY, "Origin");

  private final Set<String> origins;
  private final boolean any;
  private final String maxAge;

  public Cors(CorsConfig config) {
    this.origins =
        config.allowedOrigins().stream().map(Origin::text).collect(Collectors.toUnmodifiableSet());
    this.any = config.allowedOrigins().stream().anyMatch(Origin::isAny);
    this.maxAge = Long.toString(config.maxAge().toSeconds());
  }

  /** The headers of every response to a request, of an error too. */
  List<Header> headers(Headers request) {
    if (origins.isEmpty()) {
      return List.of();
    }
    boolean allowed = allows(request);
    if (!allowed) {
      return any ? List.of() : List.of(VARY);
    }
    Header exposed = HeaderValues.create(HeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    return any
        ? List.of(HeaderValues.create(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, "*"), exposed)
        : List.of(
            HeaderValues.create(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin(request)),
            exposed,
            VARY);
  }

  /** Whether the request asks, for an allowed page, what the page may send. */
  boolean isPreflight(ServerRequest request) {
    return request.prologue().method().equals(Method.OPTIONS)
        && request.headers().contains(REQUEST_METHOD)
        && allows(request.headers());
  }

  /**
   * Answers a preflight.
   *
   * @param methods of the path
   */
  void answerPreflight(ServerRequest request, ServerResponse response, String methods) {
    response.header(HeaderNames.ACCESS_CONTROL_ALLOW_METHODS, methods);
    String names =
        String.join(
            ",", request.headers().all(HeaderNames.ACCESS_CONTROL_REQUEST_HEADERS, List::of));
    if (NAMES.matcher(names.strip()).matches()) {
      response.header(HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, names.strip());
    }
    response.header(HeaderNames.ACCESS_CONTROL_MAX_AGE, maxAge);
    response.status(Status.NO_CONTENT_204);
    response.send();
  }

  private boolean allows(Headers request) {
    return request.contains(HeaderNames.ORIGIN) && (any || origins.contains(origin(request)));
  }

  private static String origin(Headers request) {
    return request.first(HeaderNames.ORIGIN).orElse("");
  }
}
