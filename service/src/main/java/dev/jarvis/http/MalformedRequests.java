package dev.jarvis.http;

import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import io.opentelemetry.api.trace.Span;
import org.jspecify.annotations.Nullable;

/** Answers, counts and logs the requests that the server refuses before any filter runs. */
public final class MalformedRequests implements DirectHandler {
  private final Instruments instruments;
  private final TrustedProxies proxies;
  private final Cors cors;
  private final long maxBodyBytes;

  /**
   * @param maxBodyBytes the server's limit for the body of any request
   */
  public MalformedRequests(
      Instruments instruments, TrustedProxies proxies, Cors cors, long maxBodyBytes) {
    this.instruments = instruments;
    this.proxies = proxies;
    this.cors = cors;
    this.maxBodyBytes = maxBodyBytes;
  }

  /** This handler, for every kind of event. */
  public DirectHandlers handlers() {
    DirectHandlers.Builder handlers = DirectHandlers.builder();
    for (EventType event : EventType.values()) {
      handlers.addHandler(event, this);
    }
    return handlers.build();
  }

  @Override
  public TransportResponse handle(
      TransportRequest request,
      EventType eventType,
      Status defaultStatus,
      ServerResponseHeaders headers,
      @Nullable String message) {
    String requestId = UuidV7.next().toString();
    Refusal refusal;
    if (Span.current().getSpanContext().isValid()) { // the request filter counts it
      refusal = within(defaultStatus);
    } else {
      refusal = refusal(request, defaultStatus, message);
      refused(request, refusal, requestId);
    }
    if (request.method().equals(Method.HEAD.text())) {
      ClientConnection.current().answerWithoutBody();
    }
    headers.set(HeaderNames.CONTENT_TYPE, "application/json");
    headers.set(RequestIds.HEADER, requestId);
    cors.headers(request.headers()).forEach(headers::set);
    headers.set(HeaderValues.CONNECTION_CLOSE);
    return TransportResponse.builder()
        .status(refusal.status())
        .headers(headers)
        .entity(Json.bytes(Errors.refused(refusal, requestId)))
        .keepAlive(false)
        .build();
  }

  private Refusal refusal(TransportRequest request, Status status, @Nullable String message) {
    if (status.equals(Status.REQUEST_ENTITY_TOO_LARGE_413)) {
      return tooLarge();
    }
    return Refusal.of(request, status, message);
  }

  /** What a handler could not answer itself. */
  private Refusal within(Status status) {
    if (status.equals(Status.REQUEST_ENTITY_TOO_LARGE_413)) {
      return tooLarge();
    }
    return status.code() >= 500
        ? new Refusal(
            status, "internal_error", "Internal error; the log has its cause under the request id.")
        : new Refusal(
            status,
            "malformed_request",
            "The server cannot process this request: %s.".formatted(status.reasonPhrase()));
  }

  private Refusal tooLarge() {
    ClientConnection.current().leaveUnread();
    return new Refusal(
        Status.REQUEST_ENTITY_TOO_LARGE_413,
        "body_too_large",
        "The body is too large; the maximum is %d bytes.".formatted(maxBodyBytes));
  }

  private void refused(TransportRequest request, Refusal refusal, String requestId) {
    String method = RequestFilter.method(request.method());
    int status = refusal.status().code();
    instruments.add(Metric.HTTP_REQUESTS, 1, method, Routes.UNMATCHED, Integer.toString(status));
    RequestLog.LOG
        .atInfo()
        .addKeyValue("method", method)
        .addKeyValue("path", path(request))
        .addKeyValue(
            "client_address",
            proxies.clientAddress(ClientConnection.current().peer(), request.headers()))
        .addKeyValue("status", status)
        .addKeyValue("error", refusal.message())
        .addKeyValue("request_id", requestId)
        .addKeyValue("route", Routes.UNMATCHED)
        .log("request_completed");
  }

  /** Without the query, which may contain secrets, and without what is no text. */
  private static String path(TransportRequest request) {
    String path = request.path().split("[?#]", 2)[0].replaceAll("[^!-~]", "_");
    return RequestFilter.bounded(path);
  }
}
