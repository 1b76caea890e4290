package dev.jarvis.routing;

import dev.jarvis.provider.UnsupportedFields;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who is to answer, and why.
 *
 * @param route what was asked for: a route's name, or a model's where no route has that name
 * @param options every target that was considered: first those to ask, in their order, then those
 *     that were passed over
 */
public record Decision(String route, Strategy strategy, List<Option> options) {

  public Decision {
    options = List.copyOf(options);
  }

  /** Those to ask, in this order. */
  public List<Option> order() {
    return options.stream().filter(Option::asked).toList();
  }

  /** The first field of the request that nobody can honour, if that is why nobody is asked. */
  public Optional<String> unsupported() {
    return options.isEmpty() || chosen().isPresent()
        ? Optional.empty()
        : Optional.of(options.getFirst().unsupported().refused().getFirst());
  }

  /** Who is asked first; empty if nobody can be. */
  public Optional<Option> chosen() {
    return options.stream().filter(Option::asked).findFirst();
  }

  /**
   * A target as the decision saw it.
   *
   * @param asked whether it is asked, at once or as fallback
   * @param reason why it was chosen or passed over: one of the words of {@link Reason}
   * @param busy answers under way in this replica
   * @param firstToken moving average of the time to the first token, null if never measured
   * @param loaded whether it is in its server's memory; null where the server does not tell
   * @param cost input and output price of a million tokens each, in USD, null without a price
   * @param unsupported what of the request it cannot honour
   */
  public record Option(
      Catalogue.Target target,
      boolean asked,
      Reason reason,
      int weight,
      int priority,
      int busy,
      @Nullable Duration firstToken,
      @Nullable Boolean loaded,
      @Nullable Double cost,
      UnsupportedFields unsupported) {}

  /** Why a target was chosen or passed over. */
  public enum Reason {
    /** The only one that can be asked. */
    ONLY,
    PRIORITY,
    WEIGHT,
    LEAST_BUSY,
    LOWEST_LATENCY,
    LOWEST_COST,
    /** Equal to others, but in its server's memory already. */
    LOADED,
    /** Asked if those before it fail. */
    FALLBACK,
    /** Down or failing, but nobody else is left. */
    LAST_RESORT,
    /** Passed over: it cannot honour a field of the request. */
    UNSUPPORTED,
    /** Passed over: its provider does not answer. */
    PROVIDER_DOWN,
    /** Passed over: its provider does not list this model. */
    MODEL_MISSING,
    /** Passed over: it failed too often within seconds. */
    CIRCUIT_OPEN;

    /** As telemetry writes it. */
    public String id() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }
}
