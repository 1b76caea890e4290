package dev.jarvis.provider;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why a provider did not answer. The message may be shown to a client: texts of the model server in
 * it are bounded, and keys and addresses in them are masked.
 */
public abstract sealed class ProviderException extends Exception {
  private static final long serialVersionUID = 1L;

  ProviderException(String message, @Nullable Throwable cause) {
    super(message, cause);
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
      super(message, null);
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
      super(message, cause);
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
      super(message, cause);
    }
  }

  /** The server has too many requests. */
  public static final class Busy extends ProviderException {
    private static final long serialVersionUID = 1L;

    private final Duration retryAfter;

    public Busy(String message) {
      this(message, Duration.ZERO);
    }

    public Busy(String message, Duration retryAfter) {
      super(message, null);
      this.retryAfter = retryAfter;
    }

    /** How long the server asks clients to wait; zero if it does not say. */
    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /** The server refused the request, for example because its context is too long. */
  public static final class Refused extends ProviderException {
    private static final long serialVersionUID = 1L;

    private final @Nullable String param;
    private final String code;

    public Refused(String message) {
      this(message, null, "refused_by_model");
    }

    /**
     * @param param the field of the request that is at fault; null if not known
     * @param code OpenAI's code of the error
     */
    public Refused(String message, @Nullable String param, String code) {
      super(message, null);
      this.param = param;
      this.code = code;
    }

    /** The field of the request that is at fault; null if not known. */
    public @Nullable String param() {
      return param;
    }

    /** OpenAI's code of the error. */
    public String code() {
      return code;
    }

    /** Whether the prompt is longer than the context window of this model; another's may do. */
    public boolean contextExceeded() {
      return code.equals(ContextLength.EXCEEDED);
    }
  }
}
