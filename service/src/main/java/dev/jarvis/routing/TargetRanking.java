package dev.jarvis.routing;

import dev.jarvis.routing.Decision.Option;
import dev.jarvis.routing.Decision.Reason;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/** Sorts the targets that can be asked by a route's strategy. Thread-safe. */
final class TargetRanking {
  private final RandomGenerator random;

  TargetRanking(RandomGenerator random) {
    this.random = random;
  }

  /**
   * The options in the order in which they are asked, the first with the reason why it is first.
   *
   * @param options at least one
   */
  List<Option> sort(List<Option> options, Strategy strategy) {
    List<Option> order = new ArrayList<>(options);
    order.sort(comparator(strategy).thenComparing(it -> !inMemory(it)));
    if (strategy == Strategy.WEIGHTED) {
      Option drawn = draw(order);
      order.remove(drawn);
      order.addFirst(drawn);
    }
    order.set(0, order.getFirst().with(reason(order, strategy)));
    return order;
  }

  private static Comparator<Option> comparator(Strategy strategy) {
    return switch (strategy) {
      case PRIORITY -> Comparator.comparingInt(Option::priority);
      case WEIGHTED -> Comparator.comparingInt(it -> -it.weight());
      case LEAST_BUSY -> Comparator.comparingInt(it -> it.observed().busy());
      case LOWEST_LATENCY -> Comparator.comparing(TargetRanking::latency);
      case LOWEST_COST ->
          Comparator.comparingDouble(it -> it.cost() == null ? Double.MAX_VALUE : it.cost());
    };
  }

  /**
   * A target that has not answered recently comes first, so that it is measured. One that has
   * answered, but whose server does not report the times of whole answers, comes last.
   */
  private static Duration latency(Option option) {
    Decision.Observed observed = option.observed();
    if (observed.firstToken() != null) {
      return observed.firstToken();
    }
    return observed.answeredRecently() ? ChronoUnit.FOREVER.getDuration() : Duration.ZERO;
  }

  /**
   * Among targets of equal rank, one whose model is in memory comes first. A target whose server
   * does not report this gets no preference: it would keep a cold model from ever being loaded.
   */
  private static boolean inMemory(Option option) {
    return Boolean.TRUE.equals(option.observed().loaded());
  }

  private Option draw(List<Option> options) {
    int left = random.nextInt(options.stream().mapToInt(Option::weight).sum());
    for (Option option : options) {
      left -= option.weight();
      if (left < 0) {
        return option;
      }
    }
    throw new IllegalStateException("a weight is less than 1");
  }

  private static Reason reason(List<Option> order, Strategy strategy) {
    if (order.size() == 1) {
      return Reason.ONLY;
    }
    boolean tie = comparator(strategy).compare(order.get(0), order.get(1)) == 0;
    if (tie && strategy != Strategy.WEIGHTED && inMemory(order.get(0)) && !inMemory(order.get(1))) {
      return Reason.LOADED;
    }
    return Reason.valueOf(strategy.reason().toUpperCase(Locale.ROOT));
  }
}
