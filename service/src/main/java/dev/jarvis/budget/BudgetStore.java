package dev.jarvis.budget;

import dev.jarvis.budget.Budget.Period;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Page;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.math.BigDecimal;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the table {@code budgets}. */
public final class BudgetStore {
  private static final String COLUMNS =
      "id, scope, scope_id, period, limit_usd, hard, created_at, updated_at";

  private BudgetStore() {}

  /** Adds a budget; empty if the scope has one of this period already. */
  public static Function<DbExecute, Optional<Budget>> insert(
      UUID id, Scope scope, String scopeId, Period period, BigDecimal limitUsd, boolean hard) {
    return Sql.get(
        "insert_budget",
        "INSERT INTO budgets (id, scope, scope_id, period, limit_usd, hard) VALUES (CAST(? AS uuid), ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING "
            + COLUMNS,
        BudgetStore::read,
        id,
        scope.id(),
        scopeId,
        period.id(),
        limitUsd,
        hard);
  }

  public static Function<DbExecute, Optional<Budget>> find(UUID id) {
    return Sql.get(
        "find_budget",
        "SELECT %s FROM budgets WHERE id = CAST(? AS uuid)".formatted(COLUMNS),
        BudgetStore::read,
        id);
  }

  /** Changes limit and kind. */
  public static Function<DbExecute, Optional<Budget>> update(
      UUID id, BigDecimal limitUsd, boolean hard) {
    return Sql.get(
        "update_budget",
        "UPDATE budgets SET limit_usd = ?, hard = ?, updated_at = now() WHERE id = CAST(? AS uuid) RETURNING "
            + COLUMNS,
        BudgetStore::read,
        limitUsd,
        hard,
        id);
  }

  public static Function<DbExecute, Long> delete(UUID id) {
    return Sql.update("delete_budget", "DELETE FROM budgets WHERE id = CAST(? AS uuid)", id);
  }

  /** Selects budgets; null for any. */
  public record Filter(@Nullable String scope, @Nullable String scopeId) {
    static final Filter ALL = new Filter(null, null);
  }

  /** Returns a page of budgets. */
  public static Function<DbExecute, List<Budget>> list(Filter filter, Page page) {
    return Sql.list(
        "list_budgets",
        """
        SELECT %s FROM budgets
        WHERE (CAST(? AS text) IS NULL OR scope = ?) AND (CAST(? AS text) IS NULL OR scope_id = ?)
          AND %s"""
            .formatted(COLUMNS, page.sql("uuid")),
        BudgetStore::read,
        filter.scope(),
        filter.scope(),
        filter.scopeId(),
        filter.scopeId(),
        page.after(),
        page.after(),
        page.limit());
  }

  /** Returns how many there are. */
  public static Function<DbExecute, Long> count() {
    return Sql.get(
            "count_budgets", "SELECT count(*) AS n FROM budgets", it -> it.column("n").getLong())
        .andThen(Optional::orElseThrow);
  }

  /** Deletes the budgets of a team or a key. */
  public static Function<DbExecute, Long> deleteOf(Scope scope, String scopeId) {
    return Sql.update(
        "delete_budgets",
        "DELETE FROM budgets WHERE scope = ? AND scope_id = ?",
        scope.id(),
        scopeId);
  }

  /** Deletes the budgets of a user and of the user's keys. */
  public static Function<DbExecute, Long> deleteOfUser(String id) {
    return Sql.update(
        "delete_user_budgets",
        """
        DELETE FROM budgets WHERE (scope = 'user' AND scope_id = ?)
          OR (scope = 'key' AND scope_id IN (SELECT CAST(id AS text) FROM api_keys WHERE user_id = ?))""",
        id,
        id);
  }

  /** Gives a key the same budgets as another one; their use begins with its own calls. */
  public static Function<DbExecute, Void> copy(UUID fromKey, UUID toKey) {
    return db -> {
      Filter of = new Filter(Scope.KEY.id(), fromKey.toString());
      for (Budget budget : list(of, new Page(null, true, Period.values().length)).apply(db)) {
        var _ =
            insert(
                    UuidV7.next(),
                    Scope.KEY,
                    toKey.toString(),
                    budget.period(),
                    budget.limitUsd(),
                    budget.hard())
                .apply(db);
      }
      return null;
    };
  }

  /**
   * Returns what a budget has used by the ledger, rounded up to a billionth of a dollar.
   *
   * @param first day that counts; null for all
   */
  public static Function<DbExecute, BigDecimal> usedUsd(Budget budget, @Nullable LocalDate first) {
    return ledgerNanos(budget, first).andThen(Nanos::usd);
  }

  /**
   * Returns what a budget has used by the ledger, in billionths of a dollar.
   *
   * @param first day that counts; null for all
   */
  static Function<DbExecute, Long> ledgerNanos(Budget budget, @Nullable LocalDate first) {
    return Sql.get(
            "budget_ledger",
            "SELECT budget_ledger_nanos(?, ?, CAST(? AS date)) AS nanos",
            it -> it.column("nanos").getLong(),
            budget.scope().id(),
            budget.scopeId(),
            first == null ? null : first.toString())
        .andThen(Optional::orElseThrow);
  }

  private static Budget read(DbRow row) {
    return new Budget(
        row.column("id").get(UUID.class),
        Scope.of(row.column("scope").getString()),
        row.column("scope_id").getString(),
        Period.of(row.column("period").getString()),
        row.column("limit_usd").get(BigDecimal.class),
        row.column("hard").getBoolean(),
        instant(row, "created_at"),
        instant(row, "updated_at"));
  }

  private static Instant instant(DbRow row, String column) {
    return row.column(column).get(Timestamp.class).toInstant();
  }
}
