package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Caller;
import dev.jarvis.identity.Principal;
import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.ServerRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The state of one request, for its log lines and its span. Used by the request's thread only. */
public final class Exchange {
  /**
   * The status that is recorded if the client disconnects before the response is complete; the
   * number is nginx's.
   */
  public static final int CLIENT_CLOSED_REQUEST = 499;

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

  private final UUID id;
  private final String requestId;
  private final String method;
  private final String path;
  private final String route;
  private final String clientAddress;
  private Authentication authentication = Authentication.NONE;
  private final List<Header> headers = new ArrayList<>();
  private @Nullable Throwable failure;
  private boolean clientGone;
  private final Map<String, Object> logAttributes = new LinkedHashMap<>();
  private final List<Runnable> atEnd = new ArrayList<>();

  /**
   * A request as it arrived.
   *
   * @param id the server's own UUIDv7
   * @param requestId the client's {@code x-request-id} where it sent one that can be used, the id
   *     otherwise
   * @param method a known method or {@code _OTHER}
   * @param path without query, of limited length
   * @param route the template or {@code _unmatched}
   * @param clientAddress as {@link TrustedProxies} determines it
   */
  public Exchange(
      UUID id, String requestId, String method, String path, String route, String clientAddress) {
    this.id = id;
    this.requestId = requestId;
    this.method = method;
    this.path = path;
    this.route = route;
    this.clientAddress = clientAddress;
    headers.add(HeaderValues.create(RequestIds.HEADER, requestId));
  }

  /** The exchange that a request belongs to. */
  public static Exchange of(ServerRequest request) {
    return request
        .context()
        .get(Exchange.class)
        .orElseThrow(() -> new IllegalStateException("request did not pass the request filter"));
  }

  public UUID id() {
    return id;
  }

  public String requestId() {
    return requestId;
  }

  public String method() {
    return method;
  }

  public String path() {
    return path;
  }

  public String route() {
    return route;
  }

  /** Sets the client, or why it is not known. */
  void authenticated(Authentication authentication) {
    this.authentication = authentication;
    if (authentication.failure() != null) {
      logAttribute("auth_failure", authentication.failure().reason().id());
    }
  }

  /** The user of the client; null if the client is not known. */
  public @Nullable String userId() {
    Principal client = authentication.principal();
    return client == null ? null : client.userId();
  }

  /**
   * The client of an endpoint that requires a key.
   *
   * @throws ApiException if the client is not known
   */
  public Principal principal() {
    Principal client = authentication.principal();
    if (client == null) {
      throw authentication.refusal();
    }
    return client;
  }

  /** The client as a caller of models, for what an endpoint needs beside its own work. */
  public Caller caller() {
    return principal().caller(null);
  }

  /** The headers of the response, whatever it is. */
  List<Header> headers() {
    return headers;
  }

  /** Adds a header to the response, whatever it will be; it must not have begun. */
  public void header(Header header) {
    headers.add(header);
  }

  /** The address of the client, behind trusted proxies. */
  public String clientAddress() {
    return clientAddress;
  }

  /**
   * Adds a field to the request's last log line.
   *
   * @param key as the log's readers know it, such as {@code end_user}
   */
  public void logAttribute(String key, Object value) {
    logAttributes.put(key, value);
  }

  /** The fields that handlers added, in that order. */
  Map<String, Object> logAttributes() {
    return logAttributes;
  }

  /** The failure of the service or of a server behind it, also after the status was sent. */
  public @Nullable Throwable failure() {
    return failure;
  }

  public void failure(Throwable failure) {
    this.failure = failure;
  }

  /** Whether the client disconnected before the response was complete. */
  public boolean clientGone() {
    return clientGone;
  }

  public void clientIsGone() {
    clientGone = true;
  }

  /** Registers an action that runs when the request ends, successfully or not. */
  public void atEnd(Runnable action) {
    atEnd.add(action);
  }

  /** Ends the request: runs the registered actions once, the last one first. */
  public void end() {
    while (!atEnd.isEmpty()) {
      try {
        atEnd.removeLast().run();
      } catch (RuntimeException e) {
        LOG.atWarn().setCause(e).log("request cleanup failed");
      }
    }
  }
}
