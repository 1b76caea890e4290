package dev.jarvis.routing;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Stage;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The last stage: asks the targets of a call one after the other until one begins to answer. If all
 * fail, {@link RetryRule} decides whether they are asked once more. The order of the targets is
 * decided here, not when the call arrived. Thread-safe.
 */
public final class AttemptTargets implements Stage {
  private final Router router;
  private final Catalogue models;
  private final Telemetry telemetry;
  private final Duration maxDuration;

  /**
   * @param maxDuration how long an answer may take, including all attempts
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
      return new CallAttempts(call, decision).open();
    } catch (ProviderException e) {
      throw RoutingErrors.toClient(e, call.question());
    }
  }

  /** The attempts of one call; used by one thread. */
  private final class CallAttempts {
    private final Call call;
    private final Decision decision;
    private final ContextPolicy context;
    private final RoutingTelemetry routing;
    private final Cancellation scope = Cancellation.current();
    private final long deadline = System.nanoTime() + maxDuration.toNanos();
    private Catalogue.@Nullable Target lastTarget;
    private @Nullable ProviderException lastError;

    /** The largest context window that was too small for the prompt, as its server said. */
    private int exceededWindow;

    /** Whether any target has worked on the request: then there is no retry. */
    private boolean worked;

    CallAttempts(Call call, Decision decision) {
      this.call = call;
      this.decision = decision;
      this.context = router.context(decision.route());
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
          throw new ProviderException.Unavailable("No model server is configured.", null);
        }
        if (round == RetryRule.ROUNDS || worked || !RetryRule.allows(error)) {
          throw error;
        }
        if (scope.await(RetryRule.pause(error))) {
          throw new CancelledException();
        }
      }
    }

    private @Nullable Answer round() throws ProviderException {
      boolean anyAsked = false;
      // The second pass is needed if every breaker has opened since the decision.
      for (boolean lastResort : new boolean[] {false, true}) {
        for (Decision.Option option : decision.order()) {
          if (lastError != null && left().isZero()) {
            throw new ProviderException.TimedOut(
                "No model server began to answer within the maximum duration of an answer, %d ms."
                    .formatted(maxDuration.toMillis()),
                lastError);
          }
          if (ContextWindows.exceeded(exceededWindow + 1, option.observed().contextWindow())) {
            continue;
          }
          TargetLease lease = lease(option, lastResort);
          if (lease == null) {
            continue;
          }
          anyAsked = true;
          beforeAttempt(option, lease);
          Answer answer = ask(option, lease);
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

    /** Has the call's accounts agree, which may need more money for this target. */
    private void beforeAttempt(Decision.Option option, TargetLease lease) {
      try {
        call.record().beforeAttempt(option.target().name());
      } catch (RuntimeException | Error e) {
        lease.abort(false);
        throw e;
      }
    }

    /** Null if the target's circuit breaker is open. */
    private @Nullable TargetLease lease(Decision.Option option, boolean lastResort) {
      return lastResort || option.reason() == Decision.Reason.LAST_RESORT
          ? router.lease(option.target())
          : router.tryLease(option.target()).orElse(null);
    }

    /**
     * Asks one target; returns once it has begun to answer.
     *
     * @return null if it failed and the next one may be asked
     * @throws ProviderException if it failed and no other one may be asked
     */
    private @Nullable Answer ask(Decision.Option option, TargetLease lease)
        throws ProviderException {
      Catalogue.Target target = option.target();
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
              new Attempt.Target(target.name(), label, lease.recentTokensPerSecond()));
      call.record().attempt(attempt);
      AttemptAnswer answer =
          new AttemptAnswer(
              decision.route(), target, attempt, lease, call, promptCheck(target), deadline);
      try (Scope ignored = attempt.context().makeCurrent()) {
        answer.begin(source(target, label));
        routing.answered(decision, target);
        return answer;
      } catch (ProviderException e) {
        answer.failed(e);
        lastError = e;
        worked |= e.worked();
        if (e instanceof ProviderException.Refused refused) {
          if (context != ContextPolicy.FIT || !refused.contextTooLong()) {
            throw e; // the request is at fault: another server would refuse it too
          }
          Integer window = option.observed().contextWindow();
          exceededWindow = Math.max(exceededWindow, window == null ? 0 : window);
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

    private @Nullable Supplier<PromptCheck> promptCheck(Catalogue.Target target) {
      return call.question() instanceof ChatRequest chat
          ? () ->
              new PromptCheck(
                  chat, router.contextWindow(target, chat), target.provider().cutsPrompts())
          : null;
    }

    private EventSource source(Catalogue.Target target, String label) throws ProviderException {
      return switch (call.question()) {
        case ChatRequest chat ->
            target
                .provider()
                .chat(
                    new ProviderRequest(
                        chat.withModel(target.model()),
                        label,
                        call.streamed(),
                        context != ContextPolicy.TELL,
                        left()));
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
}
