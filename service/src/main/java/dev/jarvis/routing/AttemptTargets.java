package dev.jarvis.routing;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Stage;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The last stage: asks the targets of a call one after the other until one begins to answer, and
 * all of them once more after a pause where that may help. Targets are ordered now, not when the
 * call came in. Thread-safe.
 */
public final class AttemptTargets implements Stage {
  private static final int ROUNDS = 2;
  private static final Duration PAUSE = Duration.ofMillis(250);

  /** A longer Retry-After is not honoured; the call fails instead. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(3);

  private final Router router;
  private final Catalogue models;
  private final Telemetry telemetry;
  private final Duration maxDuration;

  /**
   * @param maxDuration how long an answer may take, all attempts included
   */
  public AttemptTargets(
      Router router, Catalogue models, Telemetry telemetry, Duration maxDuration) {
    this.router = router;
    this.models = models;
    this.telemetry = telemetry;
    this.maxDuration = maxDuration;
  }

  @Override
  public Answer handle(Call call, Next next) {
    Decision decision = router.require(call.question());
    try {
      return new Asking(call, decision).open();
    } catch (ProviderException e) {
      throw RoutingErrors.toClient(e);
    }
  }

  /** The attempts of one call; used by one thread. */
  private final class Asking {
    private final Call call;
    private final Decision decision;
    private final RoutingTelemetry routing;
    private final Cancellation scope = Cancellation.current();
    private final long deadline = System.nanoTime() + maxDuration.toNanos();
    private Catalogue.@Nullable Target lastTarget;
    private @Nullable ProviderException lastError;

    /** Whether any target worked on the question: then nothing is asked twice. */
    private boolean worked;

    Asking(Call call, Decision decision) {
      this.call = call;
      this.decision = decision;
      this.routing = new RoutingTelemetry(telemetry, models, call.record());
    }

    Answer open() throws ProviderException {
      routing.decided(decision);
      for (int round = 1; ; round++) {
        Answer answer = round();
        if (answer != null) {
          return answer;
        }
        ProviderException error = lastError;
        if (error == null) {
          throw new ProviderException.Unavailable("There is no model server.", null);
        }
        if (round == ROUNDS || worked || !mayHelp(error)) {
          throw error;
        }
        if (scope.await(pause(error))) {
          throw new CancelledException();
        }
      }
    }

    private @Nullable Answer round() throws ProviderException {
      boolean anyAsked = false;
      // The second pass is for the case that every breaker has opened since the decision was made.
      for (boolean lastResort : new boolean[] {false, true}) {
        for (Decision.Option option : decision.order()) {
          if (lastError != null && left().isZero()) {
            throw new ProviderException.TimedOut(
                "No model server began to answer within the time that an answer may take.",
                lastError);
          }
          Router.Lease lease = lease(option, lastResort);
          if (lease == null) {
            continue;
          }
          anyAsked = true;
          Answer answer = ask(option.target(), lease);
          if (answer != null) {
            return answer;
          }
        }
        if (anyAsked) {
          return null;
        }
      }
      return null;
    }

    /** Null where the target's breaker lets no further attempt through. */
    private Router.@Nullable Lease lease(Decision.Option option, boolean lastResort) {
      return lastResort || option.reason() == Decision.Reason.LAST_RESORT
          ? router.lease(option.target())
          : router.tryLease(option.target()).orElse(null);
    }

    /**
     * Asks one target; returns once it says something.
     *
     * @return null if the next one may be asked
     * @throws ProviderException if nobody else is to be asked
     */
    private @Nullable Answer ask(Catalogue.Target target, Router.Lease lease)
        throws ProviderException {
      if (lastTarget != null && lastError != null) {
        routing.fellBack(lastTarget, lastError);
      }
      lastTarget = target;
      String label = models.label(target.model());
      boolean streamed =
          call.question() instanceof ChatRequest && target.provider().streams(call.streamed());
      Attempt attempt =
          new Attempt(
              telemetry,
              call.question(),
              streamed,
              new Attempt.Target(target.name(), label, lease.tokensPerSecond()));
      call.record().attempt(attempt);
      AttemptAnswer answer =
          new AttemptAnswer(decision.route(), target, attempt, lease, call, deadline);
      try (Scope ignored = attempt.context().makeCurrent()) {
        answer.begin(source(target, label));
        routing.answered(decision, target);
        return answer;
      } catch (ProviderException e) {
        answer.failed(e);
        lastError = e;
        worked |= e.worked();
        if (e instanceof ProviderException.Refused) {
          throw e; // the question itself is at fault: another server would say the same
        }
        return null;
      } catch (CancelledException e) {
        answer.cancelled(true);
        throw e;
      } catch (RuntimeException | Error e) {
        answer.broke(e);
        throw e;
      }
    }

    private EventSource source(Catalogue.Target target, String label) throws ProviderException {
      return switch (call.question()) {
        case ChatRequest chat ->
            target
                .provider()
                .chat(
                    new ProviderRequest(
                        chat.withModel(target.model()), label, call.streamed(), left()));
        case EmbeddingRequest embedding -> {
          EmbeddingRequest request = embedding.withModel(target.model()).within(left());
          Embeddings answer = target.provider().embed(request, label);
          yield EventSource.of(
              List.of(
                  new Event.UsageReport(answer.usage(), null),
                  new Event.Vectors(answer.vectors()),
                  new Event.End(answer.timings())));
        }
      };
    }

    private Duration left() {
      return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    }
  }

  static Outcome outcome(ProviderException e) {
    return switch (e) {
      case ProviderException.NotFound it -> Outcome.REJECTED;
      case ProviderException.Busy it -> Outcome.REJECTED;
      case ProviderException.Refused it -> Outcome.REJECTED;
      case ProviderException.Unavailable it -> Outcome.ERROR;
      case ProviderException.TimedOut it -> Outcome.ERROR;
    };
  }

  /** What a model worked on may cost: it is not asked for the same again. */
  private static boolean mayHelp(ProviderException e) {
    return switch (e) {
      case ProviderException.Unavailable it -> !it.begun();
      case ProviderException.Busy it -> it.retryAfter().compareTo(LONGEST_PAUSE) <= 0;
      case ProviderException.TimedOut it -> false;
      case ProviderException.NotFound it -> false;
      case ProviderException.Refused it -> false;
    };
  }

  private static Duration pause(ProviderException e) {
    return e instanceof ProviderException.Busy busy && busy.retryAfter().compareTo(PAUSE) > 0
        ? busy.retryAfter()
        : PAUSE;
  }
}
