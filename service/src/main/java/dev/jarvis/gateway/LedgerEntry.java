package dev.jarvis.gateway;

import dev.jarvis.id.UuidV7;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a call used, with its attempts below it. Never contains the prompt or the answer.
 *
 * @param id the {@link Call#id}: a UUIDv7, whose time selects the partition
 * @param day decides in which period of a budget the call counts
 * @param attempts in their order; none if the answer was generated for another call
 */
public record LedgerEntry(
    UUID id,
    Rank rank,
    LocalDate day,
    Origin origin,
    Asked asked,
    Result result,
    List<AttemptEntry> attempts) {

  /**
   * How the call ended.
   *
   * @param target that answered, or was asked last
   * @param finishReason null if the answer did not end
   */
  public record Result(TargetName target, Outcome outcome, @Nullable FinishReason finishReason) {}

  /** Checks that the id is a UUIDv7. */
  public LedgerEntry {
    if (id.version() != 7) {
      throw new IllegalArgumentException("not a UUIDv7: " + id);
    }
    attempts = List.copyOf(attempts);
  }

  /** The time in the id. */
  public Instant createdAt() {
    return UuidV7.time(id);
  }

  /** What all attempts used. */
  public Usage usage() {
    return attempts.stream().map(AttemptEntry::usage).reduce(Usage.NONE, Usage::plus);
  }

  /**
   * What all attempts cost, as far as their models had prices, in USD; null if models worked and
   * none had one.
   */
  public @Nullable BigDecimal costUsd() {
    boolean unknown =
        attempts.stream().anyMatch(AttemptEntry::worked)
            && attempts.stream().allMatch(it -> it.cost() == null);
    return unknown ? null : sum(Cost::usd);
  }

  /** What the same tokens would have cost elsewhere, in USD; null if that is not known. */
  public @Nullable BigDecimal comparisonUsd() {
    boolean known =
        attempts.stream()
            .map(AttemptEntry::cost)
            .anyMatch(it -> it != null && it.comparison() != null);
    return known ? sum(Cost::comparison) : null;
  }

  private BigDecimal sum(Function<Cost, @Nullable BigDecimal> part) {
    BigDecimal sum = BigDecimal.ZERO;
    for (AttemptEntry attempt : attempts) {
      BigDecimal usd = attempt.cost() == null ? null : part.apply(attempt.cost());
      sum = usd == null ? sum : sum.add(usd);
    }
    return sum;
  }

  /** How long all attempts took together. */
  public Duration duration() {
    return attempts.stream().map(AttemptEntry::duration).reduce(Duration.ZERO, Duration::plus);
  }

  /** Of the last attempt; null if it is not known. */
  public @Nullable Duration timeToFirstToken() {
    return attempts.isEmpty() ? null : attempts.getLast().timeToFirstToken();
  }
}
