package dev.jarvis.chat;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.RetryPolicy;
import dev.jarvis.model.Decision;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.Models;
import dev.jarvis.model.Router;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Asks the targets of a decision one after the other until one begins to answer, and all of them
 * once more after a pause where that may help. Each attempt has a span of its own.
 */
final class Attempts<T> {
  private static final int ROUNDS = 2;
  private static final Duration PAUSE = Duration.ofMillis(250);

  /** A server that wants to be left alone for longer is not waited for. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(3);

  private static final RetryPolicy<Object> AGAIN =
      RetryPolicy.builder()
          .withMaxAttempts(ROUNDS)
          .handleIf(Attempts::mayHelp)
          .withDelayFn(context -> pause(context.getLastException()))
          .build();

  private final Router router;
  private final Function<Models.Target, GenerationTelemetry> telemetry;
  private final FallbackListener fallbacks;
  private @Nullable Attempt<T> last;
  private @Nullable ModelException lastError;

  /** Hears of each target that failed before another one was asked. */
  interface FallbackListener {
    void failed(Models.Target target, ModelException error);
  }

  /** Asks one target; returns once it begins to answer. */
  interface Question<T> {
    T ask(Models.Target target) throws ModelException;
  }

  /** One target that is asked. */
  static final class Attempt<T> {
    private final Models.Target target;
    private final GenerationTelemetry telemetry;
    private final Router.Lease lease;
    private @Nullable T answer;

    Attempt(Models.Target target, GenerationTelemetry telemetry, Router.Lease lease) {
      this.target = target;
      this.telemetry = telemetry;
      this.lease = lease;
    }

    Models.Target target() {
      return target;
    }

    GenerationTelemetry telemetry() {
      return telemetry;
    }

    Router.Lease lease() {
      return lease;
    }

    /** The answer; null if none began. */
    @Nullable T answer() {
      return answer;
    }
  }

  Attempts(
      Router router,
      Function<Models.Target, GenerationTelemetry> telemetry,
      FallbackListener fallbacks) {
    this.router = router;
    this.telemetry = telemetry;
    this.fallbacks = fallbacks;
  }

  /**
   * Asks.
   *
   * @throws ModelException the last target's, if nobody begins to answer
   */
  T open(Question<T> question, Decision decision) throws ModelException {
    try {
      return Failsafe.with(AGAIN).get(() -> round(question, decision));
    } catch (FailsafeException e) {
      if (e.getCause() instanceof ModelException cause) {
        throw cause;
      }
      if (e.getCause() instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw new ModelException.Unavailable("The request was interrupted.", e);
    }
  }

  /** The attempt that was made last; null before the first. */
  @Nullable Attempt<T> last() {
    return last;
  }

  /** The same, after at least one was made. */
  Attempt<T> made() {
    return Objects.requireNonNull(last);
  }

  private T round(Question<T> question, Decision decision) throws ModelException {
    for (Decision.Option option : decision.order()) {
      Attempt<T> attempt = begin(option.target());
      try (var ignored = attempt.telemetry.context().makeCurrent()) {
        T answer = question.ask(option.target());
        attempt.answer = answer;
        return answer;
      } catch (ModelException e) {
        boolean interrupted = Thread.currentThread().isInterrupted(); // nobody waits any more
        attempt.lease.end(!interrupted && isFault(e));
        lastError = e;
        if (interrupted || e instanceof ModelException.Refused) {
          break; // or the question's own fault: another server would say the same
        }
      }
    }
    throw lastError != null
        ? lastError
        : new ModelException.Unavailable("There is no model server.", null);
  }

  private Attempt<T> begin(Models.Target target) {
    if (last != null && lastError != null) {
      last.telemetry.failed(lastError);
      fallbacks.failed(last.target, lastError);
    }
    Attempt<T> attempt = new Attempt<>(target, telemetry.apply(target), router.lease(target));
    last = attempt;
    return attempt;
  }

  /** Whether the target itself is at fault, so that it is to be left alone if that goes on. */
  private static boolean isFault(ModelException e) {
    return !(e instanceof ModelException.Refused || e instanceof ModelException.NotFound);
  }

  private static boolean mayHelp(Throwable e) {
    return !Thread.currentThread().isInterrupted()
        && (e instanceof ModelException.Unavailable
            || (e instanceof ModelException.Busy busy
                && busy.retryAfter().compareTo(LONGEST_PAUSE) <= 0));
  }

  private static Duration pause(@Nullable Throwable e) {
    return e instanceof ModelException.Busy busy && busy.retryAfter().compareTo(PAUSE) > 0
        ? busy.retryAfter()
        : PAUSE;
  }
}
