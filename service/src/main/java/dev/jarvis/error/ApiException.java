package dev.jarvis.error;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A request that is answered with an error. The message is for the client: it says what is wrong
 * and what is allowed, and contains nothing internal. Statuses and bodies are the dialect's
 * business.
 */
public abstract sealed class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final @Nullable String param;
  private final @Nullable String code;

  ApiException(
      String message, @Nullable String param, @Nullable String code, @Nullable Throwable cause) {
    super(message, cause);
    this.param = param;
    this.code = code;
  }

  /** The field of the request that is wrong; null if it is not a single field. */
  public @Nullable String param() {
    return param;
  }

  /** A stable name of the error, for programs; null if there is none. */
  public @Nullable String code() {
    return code;
  }

  /** Whether a limit of JARVIS itself refused the request, and not a model server. */
  public boolean isOwnLimit() {
    return false;
  }

  /** The request is invalid, or asks for something that is not supported. */
  public static final class InvalidRequest extends ApiException {
    private static final long serialVersionUID = 1L;

    public InvalidRequest(String message, @Nullable String param, @Nullable String code) {
      super(message, param, code, null);
    }
  }

  /** Servers could disagree on where the request ends, so the connection must be closed. */
  public static final class AmbiguousFraming extends ApiException {
    private static final long serialVersionUID = 1L;

    public AmbiguousFraming(String message) {
      super(message, null, "ambiguous_framing", null);
    }
  }

  /** The body is larger than allowed. */
  public static final class BodyTooLarge extends ApiException {
    private static final long serialVersionUID = 1L;

    public BodyTooLarge(String message) {
      super(message, null, "body_too_large", null);
    }
  }

  /** The body is encoded in a way that is not supported. */
  public static final class UnsupportedContentEncoding extends ApiException {
    private static final long serialVersionUID = 1L;

    public UnsupportedContentEncoding(String message) {
      super(message, null, "unsupported_content_encoding", null);
    }
  }

  /** The body did not arrive in time. */
  public static final class BodyTooSlow extends ApiException {
    private static final long serialVersionUID = 1L;

    public BodyTooSlow(String message) {
      super(message, null, "body_too_slow", null);
    }
  }

  /** The request has no API key, or an unknown one. */
  public static final class Unauthenticated extends ApiException {
    private static final long serialVersionUID = 1L;

    public Unauthenticated(String message) {
      super(message, null, "invalid_api_key", null);
    }
  }

  /** The client is known, and may not do this. */
  public static final class Forbidden extends ApiException {
    private static final long serialVersionUID = 1L;

    public Forbidden(String message) {
      this(message, "forbidden");
    }

    public Forbidden(String message, String code) {
      super(message, null, code, null);
    }
  }

  /** The present state of an object does not allow it. */
  public static final class Conflict extends ApiException {
    private static final long serialVersionUID = 1L;

    public Conflict(String message, @Nullable String param, String code) {
      super(message, param, code, null);
    }
  }

  /** The requested object does not exist. */
  public static final class NotFound extends ApiException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message, @Nullable String param, @Nullable String code) {
      this(message, param, code, null);
    }

    public NotFound(
        String message, @Nullable String param, @Nullable String code, @Nullable Throwable cause) {
      super(message, param, code, cause);
    }
  }

  /** The path exists for other methods only. */
  public static final class MethodNotAllowed extends ApiException {
    private static final long serialVersionUID = 1L;
    private final String allowed;

    public MethodNotAllowed(String message, String allowed) {
      super(message, null, "method_not_allowed", null);
      this.allowed = allowed;
    }

    /** The allowed methods: the value of the header {@code Allow}. */
    public String allowed() {
      return allowed;
    }
  }

  /** A model server refused the request. */
  public static final class Refused extends ApiException {
    private static final long serialVersionUID = 1L;
    private final int status;

    /**
     * @param status the model server's, one that blames the request
     * @param code the model server's name of the error
     */
    public Refused(
        int status,
        String message,
        @Nullable String param,
        @Nullable String code,
        @Nullable Throwable cause) {
      super(message, param, code == null ? "refused_by_model" : code, cause);
      this.status = status;
    }

    public int status() {
      return status;
    }
  }

  /** A limit of a model server or of JARVIS is used up; the client may try again later. */
  public static final class RateLimited extends ApiException {
    private static final long serialVersionUID = 1L;
    private final Duration retryAfter;
    private final @Nullable String limitedBy;

    /**
     * Without the name of a limit of JARVIS.
     *
     * @param code of the error; null for {@code rate_limit_exceeded}
     * @param retryAfter how long the client should wait; zero if that is not known
     */
    public RateLimited(
        String message, @Nullable String code, Duration retryAfter, @Nullable Throwable cause) {
      this(message, code, null, retryAfter, cause);
    }

    private RateLimited(
        String message,
        @Nullable String code,
        @Nullable String limitedBy,
        Duration retryAfter,
        @Nullable Throwable cause) {
      super(message, null, code == null ? "rate_limit_exceeded" : code, cause);
      this.limitedBy = limitedBy;
      this.retryAfter = retryAfter;
    }

    /**
     * A limit of JARVIS itself.
     *
     * @param limitedBy the name of the limit in the log, such as {@code team_requests}
     */
    public static RateLimited byLimit(String message, String limitedBy, Duration retryAfter) {
      return new RateLimited(message, null, limitedBy, retryAfter, null);
    }

    /** The limit of JARVIS that was used up; null if it is a model server's. */
    public @Nullable String limitedBy() {
      return limitedBy;
    }

    @Override
    public boolean isOwnLimit() {
      return limitedBy != null;
    }

    /** How long the client should wait; zero if that is not known. */
    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /** A budget is used up, or nobody knows how much is left of it. */
  public static final class BudgetExceeded extends ApiException {
    private static final long serialVersionUID = 1L;

    /**
     * @param code {@code insufficient_quota}, which clients do not retry, or {@code budget_unknown}
     */
    public BudgetExceeded(String message, String code) {
      super(message, null, code, null);
    }

    @Override
    public boolean isOwnLimit() {
      return true;
    }
  }

  /** The ledger cannot take down what the call will use, so no model is asked. */
  public static final class LedgerFull extends ApiException {
    private static final long serialVersionUID = 1L;

    public LedgerFull(String message) {
      super(message, null, "ledger_full", null);
    }
  }

  /** A model server is down or failed. */
  public static final class UpstreamFailed extends ApiException {
    private static final long serialVersionUID = 1L;

    public UpstreamFailed(String message, @Nullable Throwable cause) {
      this(message, null, cause);
    }

    /**
     * @param code the server's name of the error
     */
    public UpstreamFailed(String message, @Nullable String code, @Nullable Throwable cause) {
      super(message, null, code == null ? "model_server_unavailable" : code, cause);
    }
  }

  /** A model server took too long. */
  public static final class UpstreamTimedOut extends ApiException {
    private static final long serialVersionUID = 1L;

    public UpstreamTimedOut(String message, @Nullable Throwable cause) {
      super(message, null, "model_server_timeout", cause);
    }
  }

  /** The database or the object store is unavailable; the client may try again later. */
  public static final class StorageUnavailable extends ApiException {
    private static final long serialVersionUID = 1L;

    public StorageUnavailable(String message, String code, @Nullable Throwable cause) {
      super(message, null, code, cause);
    }
  }

  /** A model server or, without a cause, JARVIS is busy; the client may try again later. */
  public static final class Overloaded extends ApiException {
    private static final long serialVersionUID = 1L;
    private static final Duration SOON = Duration.ofSeconds(1);

    private final Duration retryAfter;

    public Overloaded(String message) {
      this(message, SOON);
    }

    /**
     * @param retryAfter how long the client should wait; less than a second counts as a second
     */
    public Overloaded(String message, Duration retryAfter) {
      this(message, null, retryAfter, null);
    }

    /**
     * @param code a model server's name of the error
     */
    public Overloaded(
        String message, @Nullable String code, Duration retryAfter, @Nullable Throwable cause) {
      super(message, null, code == null ? "overloaded" : code, cause);
      this.retryAfter = retryAfter.compareTo(SOON) > 0 ? retryAfter : SOON;
    }

    /** How long the client should wait, at least a second. */
    public Duration retryAfter() {
      return retryAfter;
    }

    @Override
    public boolean isOwnLimit() {
      return getCause() == null;
    }
  }

  /** An error in JARVIS; the cause is logged, and the client gets the request id. */
  public static final class Internal extends ApiException {
    private static final long serialVersionUID = 1L;

    public Internal(Throwable cause) {
      super(
          "Internal error; the log has its cause under the request id.",
          null,
          "internal_error",
          cause);
    }
  }
}
