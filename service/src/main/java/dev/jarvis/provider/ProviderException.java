package dev.jarvis.provider;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why no answer came from a model. The message is fit for a client: what the model server said in
 * it is bounded, and its keys and addresses are masked.
 */
public abstract sealed class ProviderException extends Exception {
  private static final long serialVersionUID = 1L;

  ProviderException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Whether a model may have worked on the question, so that it may cost. */
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

  /** The server cannot be reached, broke off or answered with an error of its own. */
  public static final class Unavailable extends ProviderException {
    private static final long serialVersionUID = 1L;

    private final boolean begun;

    public Unavailable(String message, @Nullable Throwable cause) {
      this(message, cause, false);
    }

    /**
     * @param begun whether the server had accepted the request, and so did work that may cost
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

  /** Too many requests wait already. */
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

    /** When the server wants to be asked again; zero where it did not say. */
    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /**
   * The server understood the request and refused it, for example for a context that is too long.
   */
  public static final class Refused extends ProviderException {
    private static final long serialVersionUID = 1L;

    public Refused(String message) {
      super(message, null);
    }
  }
}
