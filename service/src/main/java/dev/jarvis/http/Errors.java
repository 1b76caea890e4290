package dev.jarvis.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.json.Json;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Turns errors into HTTP responses in the shape of the OpenAI API, with the request id added. */
public final class Errors {
  private Errors() {}

  /** Sends the error. Closes the connection if the request's body was not read to its end. */
  public static void send(
      ServerRequest request, ServerResponse response, String requestId, ApiException error) {
    response.headers().clear(); // of the response that the failed handler began
    Exchange.of(request).headers().forEach(response::header);
    switch (error) {
      case ApiException.MethodNotAllowed it -> response.header(HeaderNames.ALLOW, it.allowed());
      case ApiException.Unauthenticated it ->
          response.header(HeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"jarvis\"");
      case ApiException.Overloaded it ->
          response.header(HeaderNames.RETRY_AFTER, seconds(it.retryAfter()));
      case ApiException.RateLimited it when !it.retryAfter().isZero() ->
          response.header(HeaderNames.RETRY_AFTER, seconds(it.retryAfter()));
      case ApiException.StorageUnavailable it -> response.header(HeaderNames.RETRY_AFTER, "5");
      case ApiException.LedgerFull it -> response.header(HeaderNames.RETRY_AFTER, "5");
      case ApiException.UnsupportedContentEncoding it ->
          response.header(HeaderNames.ACCEPT_ENCODING, RequestContent.ACCEPTED);
      default -> {}
    }
    if (error instanceof ApiException.AmbiguousFraming
        || (request.content().hasEntity() && !request.content().consumed())) {
      response.header(HeaderValues.CONNECTION_CLOSE);
      ClientConnection.current().leaveUnread();
    }
    response.status(status(error));
    JsonResponse.send(response, body(error, requestId));
  }

  /** Rounded up, so that no client comes too early. */
  private static String seconds(Duration wait) {
    return Long.toString(wait.plusMillis(999).toSeconds());
  }

  /**
   * Records an error for the request's log line and span: a fault with its cause, what a model
   * server said when it refused the request, and what is wrong with a malformed one.
   */
  public static void record(Exchange exchange, ApiException error) {
    Throwable cause = error.getCause();
    if (error instanceof ApiException.RateLimited it && it.limitedBy() != null) {
      exchange.logAttribute("limited_by", it.limitedBy());
    }
    if (isFault(error)) {
      exchange.failure(cause == null ? error : cause);
    } else if (cause != null) {
      Throwable root = cause.getCause() == null ? cause : cause.getCause();
      exchange.logAttribute("error", String.valueOf(root.getMessage()));
    } else if (error instanceof ApiException.AmbiguousFraming
        || error instanceof ApiException.UnsupportedContentEncoding) {
      exchange.logAttribute("error", String.valueOf(error.getMessage()));
    }
  }

  /** {@code {"error": {"message", "type", "param", "code", "request_id"}}}. */
  public static ObjectNode body(ApiException error, String requestId) {
    return body(error.getMessage(), type(error), error.param(), error.code(), requestId);
  }

  /** The body for a request that no filter has seen. */
  static ObjectNode refused(Refusal refusal, String requestId) {
    String type =
        switch (refusal.status().code()) {
          case 500 -> "api_error";
          case 503 -> "overloaded_error";
          default -> "invalid_request_error";
        };
    return body(refusal.message(), type, null, refusal.code(), requestId);
  }

  private static ObjectNode body(
      @Nullable String message,
      String type,
      @Nullable String param,
      @Nullable String code,
      String requestId) {
    ObjectNode body = Json.object();
    body.putObject("error")
        .put("message", message)
        .put("type", type)
        .put("param", param)
        .put("code", code)
        .put("request_id", requestId);
    return body;
  }

  /**
   * Whether the error is a fault of JARVIS or of a server behind it, to be shown in the log line
   * and the span. Overload is not a fault.
   */
  public static boolean isFault(ApiException error) {
    return status(error).code() >= 500 && !(error instanceof ApiException.Overloaded);
  }

  /** The status of the error. */
  public static Status status(ApiException error) {
    return switch (error) {
      case ApiException.InvalidRequest it -> Status.BAD_REQUEST_400;
      case ApiException.AmbiguousFraming it -> Status.BAD_REQUEST_400;
      case ApiException.BodyTooLarge it -> Status.REQUEST_ENTITY_TOO_LARGE_413;
      case ApiException.UnsupportedContentEncoding it -> Status.UNSUPPORTED_MEDIA_TYPE_415;
      case ApiException.BodyTooSlow it -> Status.REQUEST_TIMEOUT_408;
      case ApiException.Unauthenticated it -> Status.UNAUTHORIZED_401;
      case ApiException.Forbidden it -> Status.FORBIDDEN_403;
      case ApiException.NotFound it -> Status.NOT_FOUND_404;
      case ApiException.Conflict it -> Status.CONFLICT_409;
      case ApiException.MethodNotAllowed it -> Status.METHOD_NOT_ALLOWED_405;
      case ApiException.Refused it -> Status.create(it.status());
      case ApiException.RateLimited it -> Status.TOO_MANY_REQUESTS_429;
      case ApiException.BudgetExceeded it -> Status.PAYMENT_REQUIRED_402;
      case ApiException.UpstreamFailed it -> Status.BAD_GATEWAY_502;
      case ApiException.UpstreamTimedOut it -> Status.GATEWAY_TIMEOUT_504;
      case ApiException.Overloaded it -> Status.SERVICE_UNAVAILABLE_503;
      case ApiException.StorageUnavailable it -> Status.SERVICE_UNAVAILABLE_503;
      case ApiException.LedgerFull it -> Status.SERVICE_UNAVAILABLE_503;
      case ApiException.Internal it -> Status.INTERNAL_SERVER_ERROR_500;
    };
  }

  private static String type(ApiException error) {
    return switch (error) {
      case ApiException.Unauthenticated it -> "authentication_error";
      case ApiException.Forbidden it -> "permission_error";
      case ApiException.BudgetExceeded it -> "insufficient_quota";
      case ApiException.UpstreamFailed it -> "api_error";
      case ApiException.UpstreamTimedOut it -> "api_error";
      case ApiException.StorageUnavailable it -> "api_error";
      case ApiException.RateLimited it -> "rate_limit_error";
      case ApiException.Overloaded it -> "overloaded_error";
      case ApiException.Internal it -> "api_error";
      default -> "invalid_request_error";
    };
  }
}
