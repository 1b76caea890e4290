package dev.jarvis.routing;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Checkpoints;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Question;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.routing.CircuitBreaker.Verdict;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The answer of one attempt: passes the target's events on, and reports them and the end to the
 * {@link Attempt} and the {@link TargetLease}. Used by one thread.
 */
final class AttemptAnswer implements Answer {
  private final Head head;
  private final Question question;
  private final Checkpoints checkpoints;
  private final Attempt attempt;
  private final TargetLease lease;
  private final long deadline;
  private final Cancellation scope = Cancellation.current();
  private final Deque<Event> ready = new ArrayDeque<>();
  private @Nullable EventSource source;
  private final @Nullable Supplier<PromptCheck> prompt;
  private boolean usageReported;
  private boolean promptChecked;
  private boolean spoke;

  /**
   * @param prompt checks whether the target has seen the whole prompt; null for embeddings
   * @param deadline a time of {@link System#nanoTime}
   */
  AttemptAnswer(
      String route,
      Catalogue.Target target,
      Attempt attempt,
      TargetLease lease,
      Call call,
      @Nullable Supplier<PromptCheck> prompt,
      long deadline) {
    this.head =
        new Head(route, target.name(), Router.unsupported(target, call.question()).ignored(), null);
    this.question = call.question();
    this.checkpoints = new Checkpoints(call, attempt);
    this.attempt = attempt;
    this.lease = lease;
    this.prompt = prompt;
    this.deadline = deadline;
  }

  /** Waits for the first output, so that an early failure comes before the head is sent. */
  void begin(EventSource answer) throws ProviderException {
    source = answer;
    attempt.began();
    Event event;
    do {
      event = pull(answer);
      ready.add(event);
    } while (!event.says() && !isResult(event));
    lease.began();
  }

  private static boolean isResult(Event event) {
    return event instanceof Event.ChoiceEnd
        || event instanceof Event.Vectors
        || event instanceof Event.End;
  }

  private Duration left() {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }

  @Override
  public Head head() {
    return head;
  }

  @Override
  public Event next() {
    EventSource from = source;
    if (from == null) {
      throw new IllegalStateException("begin() was not called");
    }
    try (Scope ignored = attempt.context().makeCurrent()) {
      Event event = ready.isEmpty() ? pull(from) : ready.remove();
      usageReported |= event instanceof Event.UsageReport;
      if (!(event instanceof Event.End)) {
        return event;
      }
      if (!usageReported) {
        usageReported = true;
        ready.add(event);
        return new Event.UsageReport(attempt.usage(), null);
      }
      Event.Note cut = cut();
      if (cut != null) {
        ready.add(event);
        attempt.observe(cut);
        return cut;
      }
      ended();
      return event;
    } catch (ProviderException e) {
      failed(e);
      throw RoutingErrors.toClient(e, question);
    } catch (CancelledException e) {
      cancelled(false);
      throw e;
    } catch (RuntimeException | Error e) {
      broke(e);
      throw e;
    }
  }

  /** A note that the target has cut the prompt; null if it has not, and the second time. */
  private Event.@Nullable Note cut() {
    if (prompt == null || promptChecked) {
      return null;
    }
    promptChecked = true;
    return prompt.get().cut(attempt.usage());
  }

  private Event pull(EventSource from) throws ProviderException {
    if (attempt.streamed() && left().isZero()) { // a whole answer has arrived already
      throw new ProviderException.TimedOut(
          "The answer took longer than the maximum duration.", null);
    }
    Event event = from.next();
    attempt.observe(event);
    if (attempt.streamed()) {
      checkpoints.observe();
    }
    if (event.says() && !spoke) {
      spoke = true;
      lease.spoke();
      lease.timeToFirstToken(attempt.timeToFirstToken()); // not known yet for a whole answer
    }
    return event;
  }

  private void ended() {
    attempt.end(Outcome.OK, null);
    if (!attempt.streamed()) {
      lease.timeToFirstToken(attempt.timeToFirstToken());
    }
    lease.tokensPerSecond(attempt.tokensPerSecond());
    lease.answered(attempt.usage().outputTokens() / choices());
    lease.end(Verdict.WORKED);
  }

  private int choices() {
    return Math.clamp(question.body().path("n").asLong(1), 1, Integer.MAX_VALUE);
  }

  /** Ends the attempt because the target failed. */
  void failed(ProviderException e) {
    if (e.worked()) {
      attempt.began();
    }
    attempt.end(outcome(e), e);
    boolean callTimedOut = e instanceof ProviderException.TimedOut && left().isZero();
    lease.end(callTimedOut ? Verdict.NONE : Verdict.of(e));
    close();
  }

  private Outcome outcome(ProviderException e) {
    return switch (e) {
      case ProviderException.NotFound it -> spoke ? Outcome.ERROR : Outcome.REJECTED;
      case ProviderException.Busy it -> spoke ? Outcome.ERROR : Outcome.REJECTED;
      case ProviderException.Refused it -> Outcome.REJECTED;
      case ProviderException.Unavailable it -> Outcome.ERROR;
      case ProviderException.TimedOut it -> Outcome.ERROR;
    };
  }

  /**
   * Ends the attempt because the client has left.
   *
   * @param beforeOutput whether the target has not begun to answer; it may have worked nevertheless
   */
  void cancelled(boolean beforeOutput) {
    if (beforeOutput) {
      attempt.began();
    }
    attempt.end(Outcome.ABORTED, null);
    lease.abort(attempt.streamed());
    close();
  }

  /** Ends the attempt because of an error in JARVIS, not of the target. */
  void broke(Throwable error) {
    attempt.end(Outcome.ERROR, error);
    lease.abort(false);
    close();
  }

  @Override
  public void close() {
    // has no effect if the attempt has ended already
    attempt.end(scope.cancelled() ? Outcome.ABORTED : Outcome.ERROR, null);
    lease.abort(attempt.streamed());
    if (source != null) {
      source.close();
    }
  }
}
