package dev.jarvis.routing;

import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.CostForecast;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Question;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.ProviderException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Foresees the cost of a question by the targets that the router would ask. A target is expected to
 * write the mean of its recent answers and twice their mean deviation, before the first answer a
 * configured number of tokens; never more than {@code max_tokens}; times {@code n}. Thread-safe.
 */
public final class Forecasts implements CostForecast {
  /** Before the first answer of a target. */
  private static final double TOKENS_PER_SECOND = 50;

  private final Router router;
  private final Settlement.Pricing pricing;
  private final int outputEstimate;

  /**
   * @param outputEstimate output tokens of a target that has not answered yet
   */
  public Forecasts(Router router, Settlement.Pricing pricing, int outputEstimate) {
    this.router = router;
    this.pricing = pricing;
    this.outputEstimate = outputEstimate;
  }

  @Override
  public List<Expected> of(Question question) {
    try {
      return router.decide(question).stream()
          .flatMap(it -> it.order().stream())
          .map(it -> of(question, it.target().name()))
          .toList();
    } catch (ProviderException e) {
      return List.of(); // whoever asks the targets says why there are none
    }
  }

  @Override
  public Expected of(Question question, TargetName target) {
    TargetStatistics known = router.statistics(target);
    Usage usage = Usage.counted(question.estimatedTokens(), output(question, known)).asEstimate();
    Duration compute = compute(usage, known);
    BigDecimal usd =
        pricing.cost(target, Instant.now(), usage, compute).map(Cost::usd).orElse(null);
    return new Expected(target, usage, compute, usd);
  }

  private int output(Question question, TargetStatistics known) {
    if (question.operation() != Operation.CHAT) {
      return 0;
    }
    long one =
        Math.min(
            known.expectedOutput().orElse(outputEstimate),
            question.maxTokens().orElse(Integer.MAX_VALUE));
    long answers = Math.max(1, question.body().path("n").asLong(1));
    return (int) Math.min(one * answers, Integer.MAX_VALUE);
  }

  private static Duration compute(Usage usage, TargetStatistics known) {
    double speed = known.tokensPerSecond();
    double seconds = usage.outputTokens() / (Double.isNaN(speed) ? TOKENS_PER_SECOND : speed);
    Duration first = known.timeToFirstToken();
    return (first == null ? Duration.ZERO : first)
        .plusMillis((long) Math.min(1e3 * seconds, (double) Duration.ofDays(1).toMillis()));
  }

  @Override
  public BigDecimal spent(Attempt attempt) {
    return attempt.worked()
        ? pricing
            .cost(attempt.target().name(), Instant.now(), attempt.usage(), attempt.duration())
            .map(Cost::usd)
            .orElse(BigDecimal.ZERO)
        : BigDecimal.ZERO;
  }
}
