package dev.jarvis.budget;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What calls reserve in PostgreSQL while Redis is away. A hold ends when its call is in the ledger:
 * a trigger deletes it. Thread-safe.
 */
final class BudgetHolds {
  private static final UUID NO_BUDGET = new UUID(0, 0);
  private static final int AT_ONCE = 500;

  private final Database database;
  private final String replica;

  /**
   * What a budget answers to a demand.
   *
   * @param place of the budget, from 0
   * @param used by other calls, in billionths of a dollar
   */
  record Reply(int place, long used, boolean refuses) {}

  /** A call of a replica that is gone. */
  record Orphan(UUID call, String intent) {}

  BudgetHolds(Database database, String replica) {
    this.database = database;
    this.replica = replica;
  }

  /** Reserves in all budgets of a call, or in none. */
  List<Reply> reserve(Demand demand) {
    return database.execute(
        Sql.list(
            "budget_reserve",
            """
            SELECT place, used, refuses FROM budget_reserve(
              CAST(? AS uuid), ?, CAST(? AS date), ?, ?, CAST(? AS uuid[]), CAST(? AS date[]))""",
            it ->
                new Reply(
                    it.column("place").getInt() - 1,
                    it.column("used").getLong(),
                    it.column("refuses").getBoolean()),
            demand.call(),
            replica,
            demand.day().toString(),
            demand.intent(),
            demand.nanos(),
            Sql.array(demand.budgets().stream().map(Budget::id).toList()),
            dates(demand.budgets().stream().map(it -> it.period().first(demand.day())).toList())));
  }

  private static String dates(List<@Nullable LocalDate> dates) {
    return dates.stream()
        .map(it -> it == null ? "NULL" : it.toString())
        .collect(Collectors.joining(",", "{", "}"));
  }

  /** Notes what calls hold that have reserved elsewhere, unless they are in the ledger already. */
  void announce(List<OpenCall> calls) {
    for (int from = 0; from < calls.size(); from += AT_ONCE) {
      List<OpenCall> part = calls.subList(from, Math.min(calls.size(), from + AT_ONCE));
      long _ = database.poll(insert(part));
      part.forEach(OpenCall::heldInDatabase);
    }
  }

  private Function<DbExecute, Long> insert(List<OpenCall> calls) {
    List<UUID> ids = new ArrayList<>();
    List<UUID> budgets = new ArrayList<>();
    List<@Nullable LocalDate> days = new ArrayList<>();
    List<String> nanos = new ArrayList<>();
    List<String> intents = new ArrayList<>();
    for (OpenCall call : calls) {
      Demand demand = call.demand();
      for (int i = -1; i < call.counters().size(); i++) {
        ids.add(demand.call());
        budgets.add(i < 0 ? NO_BUDGET : call.counters().get(i).budget());
        days.add(demand.day());
        nanos.add(i < 0 ? "0" : Long.toString(call.nanos()));
        intents.add(i < 0 ? demand.intent() : "");
      }
    }
    return Sql.update(
        "announce_budget_holds",
        """
        INSERT INTO budget_holds (call_id, budget_id, day, nanos, owner, intent)
        SELECT n.call, n.budget, n.day, n.nanos, ?, nullif(n.intent, '')
        FROM unnest(CAST(? AS uuid[]), CAST(? AS uuid[]), CAST(? AS date[]), CAST(? AS bigint[]), CAST(? AS text[]))
          AS n (call, budget, day, nanos, intent)
        WHERE NOT EXISTS (SELECT FROM ledger_entries e WHERE e.id = n.call)
        ON CONFLICT (call_id, budget_id) DO UPDATE SET nanos = excluded.nanos, owner = excluded.owner""",
        replica,
        Sql.array(ids),
        Sql.array(budgets),
        dates(days),
        Sql.textArray(nanos),
        Sql.textArray(intents));
  }

  /** Gives back what calls held that used nothing. */
  void release(List<UUID> calls) {
    long _ =
        database.poll(
            Sql.update(
                "release_budget_holds",
                "DELETE FROM budget_holds WHERE call_id = ANY (CAST(? AS uuid[]))",
                Sql.array(calls)));
  }

  /**
   * Takes over calls of replicas that are gone.
   *
   * @param alive the replicas that hold a lease
   * @param age how old a call must be
   */
  List<Orphan> claim(List<String> alive, Duration age, int limit) {
    return database.poll(
        Sql.list(
            "claim_budget_holds",
            """
            UPDATE budget_holds SET owner = ?, held_at = now()
            WHERE (call_id, budget_id) IN (
              SELECT call_id, budget_id FROM budget_holds
              WHERE intent IS NOT NULL AND owner <> ALL (CAST(? AS text[]))
                AND held_at < now() - CAST(? AS bigint) * interval '1 millisecond'
              LIMIT ? FOR UPDATE SKIP LOCKED)
            RETURNING call_id, intent""",
            it -> new Orphan(it.column("call_id").get(UUID.class), it.column("intent").getString()),
            replica,
            Sql.textArray(alive),
            age.toMillis(),
            limit));
  }
}
