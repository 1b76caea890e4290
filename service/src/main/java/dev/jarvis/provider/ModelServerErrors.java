package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Translates a model server's errors into {@link ProviderException}s, whether the status reports
 * them or they stand in a successful answer. Their texts are the causes, for the log; what clients
 * see is masked.
 */
public final class ModelServerErrors {
  private static final String NO_MODEL = "The model server has no such model.";
  private static final String NO_PATH =
      "The model server does not know the path; is its URL configured with the right path?";
  private static final String CREDENTIALS = "The model server rejected JARVIS's API key.";
  private static final String ACCOUNT = "JARVIS's account at the model server has no credit left.";
  private static final String BUSY = "The model server is busy";
  private static final String IN_ANSWER = "The model server reported an error in its answer";

  /** The message for a refusal without a text. */
  public static final String NO_REASON = "The model server refused the request.";

  private ModelServerErrors() {}

  /**
   * The exception for a response with a status other than 200.
   *
   * @param retryAfter how long the server asks to wait; zero if it does not
   */
  static ProviderException of(int status, Duration retryAfter, byte[] body) {
    return of(
        status,
        retryAfter,
        ServerError.of(body),
        "The model server answered with status " + status,
        false);
  }

  /**
   * The error in a successful JSON answer, or in an event of a stream.
   *
   * @return null if it is none
   */
  public static @Nullable ProviderException inAnswer(JsonNode json) {
    ServerError error = ServerError.in(json);
    return error == null ? null : of(error.status(), Duration.ZERO, error, IN_ANSWER, true);
  }

  /**
   * @param fault what the client gets to know if the server failed
   * @param begun whether the server had accepted the request
   */
  private static ProviderException of(
      int status, Duration retryAfter, ServerError error, String fault, boolean begun) {
    String text = Masking.forLog(error.text());
    IOException cause = text.isEmpty() ? null : new IOException(text);
    ErrorNature nature = ErrorNature.of(status, error, !retryAfter.isZero());
    return switch (nature) {
      case CONTEXT_TOO_LONG, CONTENT_POLICY, REFUSED ->
          new ProviderException.Refused(
              text.isEmpty() ? NO_REASON : reason(status, text),
              refusal(nature, status, error),
              cause);
      case NO_MODEL -> new ProviderException.NotFound(NO_MODEL, cause);
      case RATE_LIMITED, BUSY ->
          new ProviderException.Busy(
              saying(BUSY, text),
              retryAfter,
              nature == ErrorNature.RATE_LIMITED,
              error.code(),
              cause);
      // not the client's fault, and none of its business
      case NO_PATH -> new ProviderException.Unavailable(NO_PATH, null, cause, false);
      case CREDENTIALS -> new ProviderException.Unavailable(CREDENTIALS, null, cause, false);
      case ACCOUNT ->
          new ProviderException.Unavailable(
              ACCOUNT, error.code() == null ? "insufficient_quota" : error.code(), cause, false);
      case FAULT ->
          new ProviderException.Unavailable(saying(fault, text), error.code(), cause, begun);
    };
  }

  private static ProviderException.Refusal refusal(
      ErrorNature nature, int status, ServerError error) {
    return switch (nature) {
      case CONTEXT_TOO_LONG -> ProviderException.Refusal.contextTooLong(error.param());
      case CONTENT_POLICY ->
          new ProviderException.Refusal(
              ProviderException.Reason.CONTENT_POLICY,
              400,
              error.code() == null ? "content_filter" : error.code(),
              error.param());
      default ->
          new ProviderException.Refusal(
              ProviderException.Reason.REQUEST,
              nature.statusForClient(status),
              error.code(),
              error.param());
    };
  }

  /** Of a server that does not blame the request, the text may tell about the server. */
  private static String reason(int status, String text) {
    String shown = Masking.forClient(text);
    return status >= 400 && status < 500 ? shown : Masking.withoutPaths(shown);
  }

  /** With the server's text, unless that is the trace of a fault. */
  private static String saying(String what, String text) {
    return text.isEmpty() || text.contains("Traceback (most recent")
        ? what + "."
        : what + ": " + Masking.withoutPaths(Masking.forClient(text));
  }
}
