package dev.jarvis.http;

import io.helidon.webserver.http.ServerRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request and what is learnt of it on its way, for its log lines and its span. Used by the
 * request's thread alone.
 */
public final class Exchange {
  /**
   * The status that a client is taken to have got that hung up before the end of its answer
   * (nginx's number).
   */
  public static final int CLIENT_CLOSED_REQUEST = 499;

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);

  private final UUID id;
  private final String requestId;
  private final String method;
  private final String path;
  private final String route;
  private final @Nullable String userId;
  private final String clientAddress;
  private @Nullable String endUser;
  private @Nullable String model;
  private @Nullable String provider;
  private @Nullable String modelRoute;
  private @Nullable String routingReason;
  private @Nullable String outcome;
  private @Nullable Throwable failure;
  private boolean clientGone;
  private final List<Runnable> atEnd = new ArrayList<>();

  /**
   * A request as it came in.
   *
   * @param id the server's own UUIDv7
   * @param requestId the client's {@code x-request-id} where it sent one that can be used, the id
   *     otherwise
   * @param method a known method or {@code _OTHER}
   * @param path without query, of limited length
   * @param route the template or {@code _unmatched}
   * @param userId the key's user, if a known key was sent
   * @param clientAddress as {@link TrustedProxies} tells it
   */
  public Exchange(
      UUID id,
      String requestId,
      String method,
      String path,
      String route,
      @Nullable String userId,
      String clientAddress) {
    this.id = id;
    this.requestId = requestId;
    this.method = method;
    this.path = path;
    this.route = route;
    this.userId = userId;
    this.clientAddress = clientAddress;
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

  public @Nullable String userId() {
    return userId;
  }

  /** The address of the client, behind proxies that are trusted. */
  public String clientAddress() {
    return clientAddress;
  }

  /** The end user whom the body names. */
  public @Nullable String endUser() {
    return endUser;
  }

  public void endUser(@Nullable String endUser) {
    this.endUser = endUser;
  }

  /** The model that was asked and how that ended; absent where none was asked. */
  public @Nullable String outcome() {
    return outcome;
  }

  public @Nullable String model() {
    return model;
  }

  /** Who runs that model, the route that led there, and why; absent where none was asked. */
  public @Nullable String provider() {
    return provider;
  }

  public @Nullable String modelRoute() {
    return modelRoute;
  }

  public @Nullable String routingReason() {
    return routingReason;
  }

  public void routed(String route, String provider, String model, String reason) {
    this.modelRoute = route;
    this.provider = provider;
    this.model = model;
    this.routingReason = reason;
  }

  public void outcome(String model, String outcome) {
    this.model = model;
    this.outcome = outcome;
  }

  /** What went wrong on our side, also after the status was sent. */
  public @Nullable Throwable failure() {
    return failure;
  }

  public void failure(Throwable failure) {
    this.failure = failure;
  }

  /** Whether the client hung up before the end of its answer. */
  public boolean clientGone() {
    return clientGone;
  }

  public void clientIsGone() {
    clientGone = true;
  }

  /** Registers what is given back when the request ends, whatever becomes of it. */
  public void atEnd(Runnable action) {
    atEnd.add(action);
  }

  /** The request has ended: gives everything back, the last first, once. */
  public void end() {
    while (!atEnd.isEmpty()) {
      try {
        atEnd.removeLast().run();
      } catch (RuntimeException e) {
        LOG.atWarn().setCause(e).log("a part of a request did not end well");
      }
    }
  }
}
