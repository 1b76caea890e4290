package dev.jarvis.routing;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The answer of one target, metered. Used by one thread. */
final class AttemptAnswer implements Answer {
  private final Head head;
  private final Attempt attempt;
  private final Router.Lease lease;
  private final long deadline;
  private final Cancellation scope = Cancellation.current();
  private final Deque<Event> ready = new ArrayDeque<>();
  private @Nullable EventSource source;
  private boolean counted;
  private boolean spoke;

  /**
   * @param deadline by {@link System#nanoTime}
   */
  AttemptAnswer(
      String route,
      Catalogue.Target target,
      Attempt attempt,
      Router.Lease lease,
      Call call,
      long deadline) {
    this.head =
        new Head(
            route,
            target.name(),
            Router.unsupported(target.provider(), call.question()).ignored(),
            null);
    this.attempt = attempt;
    this.lease = lease;
    this.deadline = deadline;
  }

  /** Waits until the target says something, so that what fails at once fails before the head. */
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
      throw new IllegalStateException("the answer has not begun");
    }
    try (Scope ignored = attempt.context().makeCurrent()) {
      Event event = ready.isEmpty() ? pull(from) : ready.remove();
      counted |= event instanceof Event.UsageReport;
      if (!(event instanceof Event.End)) {
        return event;
      }
      if (!counted) {
        counted = true;
        ready.add(event);
        return new Event.UsageReport(attempt.usage(), null);
      }
      ended();
      return event;
    } catch (ProviderException e) {
      failed(e);
      throw RoutingErrors.toClient(e);
    } catch (CancelledException e) {
      cancelled(false);
      throw e;
    } catch (RuntimeException | Error e) {
      broke(e);
      throw e;
    }
  }

  private Event pull(EventSource from) throws ProviderException {
    if (attempt.streamed() && left().isZero()) { // a whole answer is here already
      throw new ProviderException.TimedOut("The answer took longer than is allowed.", null);
    }
    Event event = from.next();
    attempt.observe(event);
    if (event.says() && !spoke) {
      spoke = true;
      lease.spoke();
      lease.firstTokenAfter(attempt.timeToFirstToken()); // of a stream
    }
    return event;
  }

  private void ended() {
    attempt.end(Outcome.OK, null);
    if (!attempt.streamed()) {
      lease.firstTokenAfter(attempt.timeToFirstToken());
    }
    lease.wrote(attempt.tokensPerSecond());
    lease.answered();
    lease.end(false);
  }

  void failed(ProviderException e) {
    if (e.worked()) {
      attempt.began();
    }
    attempt.end(AttemptTargets.outcome(e), e);
    boolean ourLimit = e instanceof ProviderException.TimedOut && left().isZero();
    if (e instanceof ProviderException.NotFound || ourLimit) {
      lease.abort(false); // says nothing of the target
    } else {
      lease.end(!(e instanceof ProviderException.Refused));
    }
    close();
  }

  /**
   * Nobody waits any more.
   *
   * @param asking whether the target has not begun to answer: it may work on the question already
   */
  void cancelled(boolean asking) {
    if (asking) {
      attempt.began();
    }
    attempt.end(Outcome.ABORTED, null);
    lease.abort(attempt.streamed());
    close();
  }

  /** A fault of JARVIS. */
  void broke(Throwable fault) {
    attempt.end(Outcome.ERROR, fault);
    lease.abort(false);
    close();
  }

  @Override
  public void close() {
    // does nothing after an end of another kind
    attempt.end(scope.cancelled() ? Outcome.ABORTED : Outcome.ERROR, null);
    lease.abort(attempt.streamed());
    if (source != null) {
      source.close();
    }
  }
}
