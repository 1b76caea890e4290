package dev.jarvis.gateway;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Foresees what a question may cost. */
public interface CostForecast {
  /**
   * What a target is expected to use.
   *
   * @param usage marked as estimated
   * @param compute how long the machine is expected to work
   * @param usd null if the model has no price: unknown, and nothing is reserved for it
   */
  record Expected(TargetName target, Usage usage, Duration compute, @Nullable BigDecimal usd) {}

  /** The targets that may be asked, as it seems now; empty if there are none. */
  List<Expected> of(Question question);

  /** What one target is expected to use. */
  Expected of(Question question, TargetName target);

  /** What an attempt has used so far, in USD; 0 if that is not known. */
  BigDecimal spent(Attempt attempt);
}
