package dev.jarvis.routing;

import dev.jarvis.provider.ProviderException;
import java.time.Duration;

/** When the targets of a call are asked once more after all of them have failed. */
final class RetryRule {
  /** The number of times that all targets are asked. */
  static final int ROUNDS = 2;

  private static final Duration PAUSE = Duration.ofMillis(250);

  /** A longer Retry-After is not honoured; the call fails instead. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(3);

  private RetryRule() {}

  /**
   * Whether the last failure may be temporary. After a model may have worked there is no retry,
   * because that work may cost something.
   */
  static boolean allows(ProviderException e) {
    return switch (e) {
      case ProviderException.Unavailable it -> !it.begun();
      case ProviderException.Busy it -> it.retryAfter().compareTo(LONGEST_PAUSE) <= 0;
      case ProviderException.TimedOut it -> false;
      case ProviderException.NotFound it -> false;
      case ProviderException.Refused it -> false;
    };
  }

  /** How long to wait before the next round. */
  static Duration pause(ProviderException e) {
    return e instanceof ProviderException.Busy busy && busy.retryAfter().compareTo(PAUSE) > 0
        ? busy.retryAfter()
        : PAUSE;
  }
}
