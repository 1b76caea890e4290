package dev.jarvis.routing;

import static java.util.Objects.requireNonNull;

import dev.jarvis.provider.UnsupportedFields;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which targets are asked, in which order, and why.
 *
 * @param route the name in the request: a route's, or a model's if no route has that name
 * @param options every target that was considered: first those to ask, in this order, then those
 *     that were passed over
 */
public record Decision(String route, Strategy strategy, List<Option> options) {

  public Decision {
    options = List.copyOf(options);
  }

  /** The targets to ask, in this order. */
  public List<Option> order() {
    return options.stream().filter(Option::asked).toList();
  }

  /** A field of the request that no target supports, if that is why none is asked. */
  public Optional<String> unsupported() {
    return options.isEmpty() || chosen().isPresent() || contextLimit().isPresent()
        ? Optional.empty()
        : Optional.of(options.getFirst().unsupported().refused().getFirst());
  }

  /**
   * The target whose context window is the limit, if the prompt is too long and therefore none is
   * asked: the largest window that was too small.
   */
  public Optional<Option> contextLimit() {
    return chosen().isPresent()
        ? Optional.empty()
        : options.stream()
            .filter(it -> it.reason() == Reason.CONTEXT_EXCEEDED)
            .filter(it -> it.observed().contextWindow() != null)
            .max(Comparator.comparingInt(it -> requireNonNull(it.observed().contextWindow())));
  }

  /** The target that is asked first; empty if none can be asked. */
  public Optional<Option> chosen() {
    return options.stream().filter(Option::asked).findFirst();
  }

  /**
   * A target as the decision saw it.
   *
   * @param reason why it was chosen or passed over
   * @param cost the prices of a million input and of a million output tokens, added, in USD; null
   *     without a price
   * @param unsupported fields of the request that it cannot honour
   */
  public record Option(
      Catalogue.Target target,
      Reason reason,
      int weight,
      int priority,
      Observed observed,
      @Nullable Double cost,
      UnsupportedFields unsupported) {

    /** Whether it is asked, first or as a fallback. */
    public boolean asked() {
      return reason.asked;
    }

    /** The same option with another reason. */
    Option with(Reason other) {
      return new Option(target, other, weight, priority, observed, cost, unsupported);
    }
  }

  /**
   * What this replica knew of a target.
   *
   * @param busy attempts in progress
   * @param firstToken moving average of the time to the first token; null if never measured
   * @param answeredRecently whether it has answered in the last five minutes
   * @param loaded whether the model is in its server's memory; null if the server does not report
   *     it
   * @param contextWindow the maximum number of tokens of prompt and answer together; null if not
   *     known
   */
  public record Observed(
      int busy,
      @Nullable Duration firstToken,
      boolean answeredRecently,
      @Nullable Boolean loaded,
      @Nullable Integer contextWindow) {}

  /** Why a target was chosen or passed over. */
  public enum Reason {
    /** The only one that can be asked. */
    ONLY(true),
    PRIORITY(true),
    WEIGHT(true),
    LEAST_BUSY(true),
    LOWEST_LATENCY(true),
    LOWEST_COST(true),
    /** Of equal rank with others, but already in its server's memory. */
    LOADED(true),
    /** Asked if those before it fail. */
    FALLBACK(true),
    /** Down or failing, but no other target is left. */
    LAST_RESORT(true),
    /** Passed over: it cannot honour a field of the request. */
    UNSUPPORTED(false),
    /** Passed over: the prompt is longer than its context window, or than that of another one. */
    CONTEXT_EXCEEDED(false),
    /** Passed over: its provider does not answer. */
    PROVIDER_DOWN(false),
    /** Passed over: its provider does not list this model. */
    MODEL_MISSING(false),
    /** Passed over: it failed too often recently. */
    CIRCUIT_OPEN(false);

    private final boolean asked;

    Reason(boolean asked) {
      this.asked = asked;
    }

    /** The value in telemetry and in responses. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
