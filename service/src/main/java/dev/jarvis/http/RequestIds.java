package dev.jarvis.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The ids of requests: the client's {@code x-request-id} if it is safe to repeat, else a UUIDv7 of
 * the server.
 */
public final class RequestIds {
  public static final HeaderName HEADER = HeaderNames.create("x-request-id");

  private static final Pattern USABLE = Pattern.compile("[A-Za-z0-9._:/+=-]{1,128}");

  private RequestIds() {}

  /** The id that the response and the log report. */
  public static String of(Headers headers, UUID own) {
    return headers
        .first(HEADER)
        .filter(it -> USABLE.matcher(it).matches())
        .orElseGet(own::toString);
  }
}
