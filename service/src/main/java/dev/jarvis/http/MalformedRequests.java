package dev.jarvis.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import io.opentelemetry.api.trace.Span;
import org.jspecify.annotations.Nullable;

/** Answers, counts and logs the requests that the server refuses before any filter runs. */
public final class MalformedRequests implements DirectHandler {
  private final Instruments instruments;
  private final long maxBodyBytes;

  /**
   * @param maxBodyBytes the server's limit for the body of any request
   */
  public MalformedRequests(Instruments instruments, long maxBodyBytes) {
    this.instruments = instruments;
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
    Status status = defaultStatus;
    if (!Span.current().getSpanContext().isValid()) { // within a span, the request filter counts it
      status = clientsFault(defaultStatus);
      refused(status, requestId);
    }
    headers.set(HeaderNames.CONTENT_TYPE, "application/json");
    headers.set(RequestIds.HEADER, requestId);
    headers.set(HeaderValues.CONNECTION_CLOSE);
    return TransportResponse.builder()
        .status(status)
        .headers(headers)
        .entity(Json.bytes(body(status, requestId)))
        .keepAlive(false)
        .build();
  }

  /**
   * Before any filter runs, the server only parses the request, so its failure is the client's
   * fault; a 5xx would raise alerts.
   */
  private static Status clientsFault(Status status) {
    boolean parsing = status.code() >= 500 && !status.equals(Status.SERVICE_UNAVAILABLE_503);
    return parsing ? Status.BAD_REQUEST_400 : status;
  }

  private ObjectNode body(Status status, String requestId) {
    if (status.equals(Status.REQUEST_ENTITY_TOO_LARGE_413)) {
      ClientConnection.current().leaveUnread();
      return Errors.body(
          new ApiException.BodyTooLarge(
              "The body is too large; the maximum is %d bytes.".formatted(maxBodyBytes)),
          requestId);
    }
    boolean ours = status.code() >= 500;
    String shown =
        ours
            ? "Internal error; the log has its cause under the request id."
            : "The server cannot process this request: %s.".formatted(status.reasonPhrase());
    return Errors.malformed(shown, ours, requestId);
  }

  private void refused(Status status, String requestId) {
    String code = Integer.toString(status.code());
    instruments.add(Metric.HTTP_REQUESTS, 1, "_OTHER", Routes.UNMATCHED, code);
    RequestLog.LOG
        .atInfo()
        .addKeyValue("method", "_OTHER")
        .addKeyValue("path", "")
        .addKeyValue("status", status.code())
        .addKeyValue("request_id", requestId)
        .addKeyValue("route", Routes.UNMATCHED)
        .log("request_completed");
  }
}
