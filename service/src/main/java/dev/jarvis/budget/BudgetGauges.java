package dev.jarvis.budget;

import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How many budgets are near their limit or used up, by scope and the ledger. Thread-safe. */
final class BudgetGauges {
  private static final Logger LOG = LoggerFactory.getLogger(BudgetGauges.class);

  private final Database database;
  private final int nearPercent;
  private volatile Map<String, Long> near = none();
  private volatile Map<String, Long> usedUp = none();

  private record Row(String scope, long near, long usedUp) {}

  BudgetGauges(Database database, int nearPercent) {
    this.database = database;
    this.nearPercent = nearPercent;
  }

  private static Map<String, Long> none() {
    Map<String, Long> none = new HashMap<>();
    for (Scope scope : Scope.values()) {
      none.put(scope.id(), 0L);
    }
    return none;
  }

  /** Counts anew; keeps the last numbers if PostgreSQL is away. */
  void read(LocalDate today) {
    try {
      Map<String, Long> nowNear = none();
      Map<String, Long> nowUsedUp = none();
      for (Row row : database.poll(rows(today))) {
        nowNear.put(row.scope(), row.near());
        nowUsedUp.put(row.scope(), row.usedUp());
      }
      near = nowNear;
      usedUp = nowUsedUp;
    } catch (RuntimeException e) {
      LOG.atDebug().setCause(e).log("budgets near their limit were not counted");
    }
  }

  private Function<DbExecute, List<Row>> rows(LocalDate today) {
    return Sql.list(
        "count_budgets_near_limit",
        """
        SELECT scope, count(*) FILTER (WHERE used < limit_usd AND used * 100 >= limit_usd * CAST(? AS integer)) AS near,
          count(*) FILTER (WHERE used >= limit_usd) AS used_up
        FROM (SELECT b.scope, b.limit_usd, budget_ledger_nanos(b.scope, b.scope_id, CASE b.period
            WHEN 'day' THEN CAST(? AS date) WHEN 'month' THEN CAST(? AS date) END) / 1000000000.0 AS used
          FROM budgets b) AS u
        GROUP BY scope""",
        it ->
            new Row(
                it.column("scope").getString(),
                it.column("near").getLong(),
                it.column("used_up").getLong()),
        nearPercent,
        today.toString(),
        today.withDayOfMonth(1).toString());
  }

  Map<String, Long> near() {
    return near;
  }

  Map<String, Long> usedUp() {
    return usedUp;
  }
}
