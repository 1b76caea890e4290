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
import java.util.Optional;
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
  private final long deadlineNanos;
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

  /**
   * @param limit how long attempts may be begun; one under way has limits of its own
   */
  Attempts(
      Router router,
      Function<Models.Target, GenerationTelemetry> telemetry,
      FallbackListener fallbacks,
      Duration limit) {
    this.router = router;
    this.telemetry = telemetry;
    this.fallbacks = fallbacks;
    this.deadlineNanos = System.nanoTime() + limit.toNanos();
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
    boolean anyAsked = false;
    // The second pass is for the case that every breaker has opened since the decision was made.
    for (boolean lastResort : new boolean[] {false, true}) {
      for (Decision.Option option : decision.order()) {
        if (last != null && System.nanoTime() - deadlineNanos >= 0) {
          throw new ModelException.TimedOut(
              "No model server began to answer within the time that an answer may take.",
              lastError);
        }
        Router.Lease lease = lease(option, lastResort);
        if (lease == null) {
          continue;
        }
        anyAsked = true;
        Optional<T> answer = ask(question, begin(option.target(), lease));
        if (answer.isPresent()) {
          return answer.get();
        }
      }
      if (anyAsked) {
        break;
      }
    }
    throw lastError != null
        ? lastError
        : new ModelException.Unavailable("There is no model server.", null);
  }

  /** Null where the target's breaker lets no further attempt through. */
  private Router.@Nullable Lease lease(Decision.Option option, boolean lastResort) {
    return lastResort || option.reason() == Decision.Reason.LAST_RESORT
        ? router.lease(option.target())
        : router.tryLease(option.target()).orElse(null);
  }

  /**
   * Asks one target.
   *
   * @return empty if the next one may be asked
   * @throws ModelException if nobody else is to be asked
   */
  private Optional<T> ask(Question<T> question, Attempt<T> attempt) throws ModelException {
    try (var ignored = attempt.telemetry.context().makeCurrent()) {
      T answer = question.ask(attempt.target);
      attempt.answer = answer;
      attempt.lease.began();
      return Optional.of(answer);
    } catch (ModelException e) {
      lastError = e;
      boolean interrupted = Thread.currentThread().isInterrupted(); // the client is gone
      if (interrupted || e instanceof ModelException.NotFound) {
        attempt.lease.abort();
      } else {
        attempt.lease.end(!(e instanceof ModelException.Refused));
      }
      if (interrupted || e instanceof ModelException.Refused) {
        throw e; // a refused question is at fault itself: another server would say the same
      }
      return Optional.empty();
    }
  }

  private Attempt<T> begin(Models.Target target, Router.Lease lease) {
    if (last != null && lastError != null) {
      last.telemetry.failed(lastError);
      fallbacks.failed(last.target, lastError);
    }
    Attempt<T> attempt = new Attempt<>(target, telemetry.apply(target), lease);
    last = attempt;
    return attempt;
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
