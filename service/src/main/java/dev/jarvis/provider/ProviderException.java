package dev.jarvis.provider;

import java.io.Serializable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why a provider did not answer. The message may be shown to a client: texts of the model server in
 * it are bounded, and keys and addresses in them are masked.
 */
public abstract sealed class ProviderException extends Exception {
  private static final long serialVersionUID = 1L;

  private final @Nullable String code;

  ProviderException(String message, @Nullable String code, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /** The server's own name of the error, for programs; null if it gives none. */
  public @Nullable String code() {
    return code;
  }

  /** Whether a model may have worked on the request, so that it may cost something. */
  public boolean worked() {
    return switch (this) {
      case Unavailable it -> it.begun();
      case TimedOut it -> true;
      case NotFound it -> false;
      case Busy it -> false;
      case Refused it -> false;
    };
  }

  /** The provider has no such model. */
  public static final class NotFound extends ProviderException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
      this(message, null);
    }

    public NotFound(String message, @Nullable Throwable cause) {
      super(message, null, cause);
    }
  }

  /** The server cannot be reached, closed the connection, or reported an internal error. */
  public static final class Unavailable extends ProviderException {
    private static final long serialVersionUID = 1L;

    private final boolean begun;

    public Unavailable(String message, @Nullable Throwable cause) {
      this(message, cause, false);
    }

    /**
     * @param begun whether the server had accepted the request, and may have worked on it
     */
    public Unavailable(String message, @Nullable Throwable cause, boolean begun) {
      this(message, null, cause, begun);
    }

    /**
     * @param code the server's name of the error
     */
    public Unavailable(
        String message, @Nullable String code, @Nullable Throwable cause, boolean begun) {
      super(message, code, cause);
      this.begun = begun;
    }

    /** Whether the server had accepted the request. */
    public boolean begun() {
      return begun;
    }
  }

  /** The server took longer than the configured limit. */
  public static final class TimedOut extends ProviderException {
    private static final long serialVersionUID = 1L;

    public TimedOut(String message, @Nullable Throwable cause) {
      super(message, null, cause);
    }
  }

  /** The server has too many requests, or is not ready yet. */
  public static final class Busy extends ProviderException {
    private static final long serialVersionUID = 1L;

    private final Duration retryAfter;
    private final boolean rateLimited;
    private final boolean inProcess;

    public Busy(String message) {
      this(message, Duration.ZERO);
    }

    /** A model inside the process has too many requests: a limit of JARVIS itself. */
    public static Busy inProcess(String message) {
      return new Busy(message, Duration.ZERO, false, null, null, true);
    }

    public Busy(String message, Duration retryAfter) {
      this(message, retryAfter, false, null, null);
    }

    /**
     * @param rateLimited whether the server refuses this caller, not every one
     * @param code the server's name of the error
     */
    public Busy(
        String message,
        Duration retryAfter,
        boolean rateLimited,
        @Nullable String code,
        @Nullable Throwable cause) {
      this(message, retryAfter, rateLimited, code, cause, false);
    }

    private Busy(
        String message,
        Duration retryAfter,
        boolean rateLimited,
        @Nullable String code,
        @Nullable Throwable cause,
        boolean inProcess) {
      super(message, code, cause);
      this.retryAfter = retryAfter;
      this.rateLimited = rateLimited;
      this.inProcess = inProcess;
    }

    /** Whether the model is inside the process, so that no server refused anything. */
    public boolean inProcess() {
      return inProcess;
    }

    /** How long the server asks clients to wait; zero if it does not say. */
    public Duration retryAfter() {
      return retryAfter;
    }

    /** Whether a limit of the server's for this caller is used up. */
    public boolean rateLimited() {
      return rateLimited;
    }
  }

  /** Why a server refused a request. */
  public enum Reason {
    /** The request is longer than the model's context. */
    CONTEXT_TOO_LONG,
    CONTENT_POLICY,
    /** Anything else that is wrong with it. */
    REQUEST
  }

  /**
   * What a server says of a request that it refuses.
   *
   * @param status for the client
   * @param code a stable name of the error; null if there is none
   * @param param the field of the request that is wrong; null if it is not known
   */
  public record Refusal(Reason reason, int status, @Nullable String code, @Nullable String param)
      implements Serializable {

    /** OpenAI's code for a request that is longer than the model's context. */
    public static final String CONTEXT_TOO_LONG = "context_length_exceeded";

    /** The request is longer than the model's context: agents shorten it because of the code. */
    public static Refusal contextTooLong(@Nullable String param) {
      return new Refusal(Reason.CONTEXT_TOO_LONG, 400, CONTEXT_TOO_LONG, param);
    }

    /** A field has a value that the model does not support. */
    public static Refusal of(@Nullable String param) {
      return new Refusal(Reason.REQUEST, 400, null, param);
    }
  }

  /** The server refused the request. */
  public static final class Refused extends ProviderException {
    private static final long serialVersionUID = 1L;

    private final Refusal refusal;

    public Refused(String message) {
      this(message, Refusal.of(null), null);
    }

    public Refused(String message, Refusal refusal, @Nullable Throwable cause) {
      super(message, refusal.code(), cause);
      this.refusal = refusal;
    }

    public Refusal refusal() {
      return refusal;
    }

    /** Whether a model with a larger context could answer. */
    public boolean contextTooLong() {
      return refusal.reason() == Reason.CONTEXT_TOO_LONG;
    }
  }
}
