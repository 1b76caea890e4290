package dev.jarvis.budget;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What may be spent in a period.
 *
 * @param scopeId the team, user or key; empty for all
 * @param hard whether calls beyond the limit are refused; otherwise they are only reported
 */
public record Budget(
    UUID id,
    Scope scope,
    String scopeId,
    Period period,
    BigDecimal limitUsd,
    boolean hard,
    Instant createdAt,
    Instant updatedAt) {

  /** The largest limit: as billionths of a dollar it must stay below 2^53. */
  public static final BigDecimal MAX_LIMIT_USD = BigDecimal.valueOf(9_000_000);

  /** Whose calls count. */
  public enum Scope {
    ALL,
    TEAM,
    USER,
    KEY;

    /** The name in the database, in telemetry and in messages. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    public static Scope of(String id) {
      return valueOf(id.toUpperCase(Locale.ROOT));
    }
  }

  /** After which time a budget begins anew, in the configured zone. */
  public enum Period {
    DAY,
    MONTH,
    NONE;

    /** The name in the database and in messages. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    public static Period of(String id) {
      return valueOf(id.toUpperCase(Locale.ROOT));
    }

    /** The first day of the period that contains a day; null if there is no beginning. */
    public @Nullable LocalDate first(LocalDate day) {
      return switch (this) {
        case DAY -> day;
        case MONTH -> day.withDayOfMonth(1);
        case NONE -> null;
      };
    }

    /** The first day of the next period; null if there is none. */
    public @Nullable LocalDate next(LocalDate day) {
      return switch (this) {
        case DAY -> day.plusDays(1);
        case MONTH -> day.withDayOfMonth(1).plusMonths(1);
        case NONE -> null;
      };
    }
  }

  long limitNanos() {
    return Nanos.below(limitUsd);
  }

  /** How messages name it, such as {@code team 'research'}. */
  String owner() {
    return scope == Scope.ALL ? "all calls" : "%s '%s'".formatted(scope.id(), scopeId);
  }
}
