package dev.jarvis.ledger;

import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The tables {@code ledger_entries} and {@code ledger_attempts}. */
final class LedgerEntryStore implements EntryWriter.Table {
  static final String INSERT_NAME = "insert_ledger_entries";

  private static final String ENTRY_COLUMNS =
      """
      id, created_at, rank, day, user_id, team_id, key_id, end_user, parent_id, request_id, trace_id, operation,
        requested_model, provider, model, outcome, finish_reason, streamed, attempts, input_tokens, cached_input_tokens,
        cache_write_tokens, audio_input_tokens, output_tokens, reasoning_tokens, audio_output_tokens, estimated, cost_usd, comparison_usd, duration_ms, time_to_first_token_ms""";

  private static final String ATTEMPT_COLUMNS =
      """
      call_id, created_at, number, provider, model, outcome, worked, finish_reason, input_tokens, cached_input_tokens,
        cache_write_tokens, audio_input_tokens, output_tokens, reasoning_tokens, audio_output_tokens, estimated, cost_usd, comparison_usd, price_version, duration_ms, time_to_first_token_ms""";

  // in the order of the key, so that two writers of the same entries wait for each other, not both
  private static final String INSERT =
      """
      INSERT INTO ledger_entries AS e (
        %1$s)
      SELECT
        %3$s
      FROM jsonb_populate_recordset(CAST(NULL AS ledger_entries), CAST(? AS jsonb)) AS r
      LEFT JOIN ledger_erased AS x ON x.user_sha256 = sha256(convert_to(user_id, 'UTF8')) AND created_at <= x.erased_at
      ORDER BY id
      ON CONFLICT (id, created_at) DO UPDATE SET (
        %1$s) = (
        %2$s)
      WHERE excluded.rank > e.rank RETURNING CAST(id AS text) AS id"""
          .formatted(ENTRY_COLUMNS, excluded(ENTRY_COLUMNS), withoutErased(ENTRY_COLUMNS));

  // an entry of a higher rank has at least the attempts of the one that it replaces
  private static final String INSERT_ATTEMPTS =
      """
      INSERT INTO ledger_attempts (
        %1$s)
      SELECT
        %1$s
      FROM jsonb_populate_recordset(CAST(NULL AS ledger_attempts), CAST(? AS jsonb)) ORDER BY call_id, number
      ON CONFLICT (call_id, created_at, number) DO UPDATE SET (
        %1$s) = (
        %2$s)"""
          .formatted(ATTEMPT_COLUMNS, excluded(ATTEMPT_COLUMNS));

  /**
   * Another server after a failover has another timeline, a restored or new one another identifier.
   */
  private static final String IDENTITY =
      """
      SELECT system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS identity
      FROM pg_control_system()""";

  private final Database database;

  LedgerEntryStore(Database database) {
    this.database = database;
  }

  private static String excluded(String columns) {
    return columns.replaceAll("\\b(\\w+)", "excluded.$1");
  }

  /** As an erasure leaves an entry, if its user was erased while it was on its way. */
  private static String withoutErased(String columns) {
    return columns
        .replace("user_id", "coalesce(x.pseudonym, user_id)")
        .replace("end_user", "CASE WHEN x.pseudonym IS NULL THEN end_user END")
        .replace("request_id", "CASE WHEN x.pseudonym IS NULL THEN request_id ELSE 'erased' END");
  }

  /**
   * Writes entries in one transaction. One that is there already is replaced only by a higher rank.
   *
   * @return the identity of the database that has them
   * @throws io.helidon.dbclient.DbClientException if they cannot be written; then none is
   */
  @Override
  public String write(Collection<LedgerEntry> entries) {
    Map<UUID, LedgerEntry> best = new HashMap<>();
    for (LedgerEntry entry : entries) {
      best.merge(entry.id(), entry, (a, b) -> b.rank().number() > a.rank().number() ? b : a);
    }
    return database.transaction(
        db -> {
          String identity = identity(db);
          durable(db);
          Set<UUID> written =
              new HashSet<>(
                  Sql.list(
                          INSERT_NAME,
                          INSERT,
                          it -> UUID.fromString(it.column("id").getString()),
                          EntryJson.entries(best.values()))
                      .apply(db));
          List<LedgerEntry> withAttempts =
              best.values().stream()
                  .filter(it -> written.contains(it.id()) && !it.attempts().isEmpty())
                  .toList();
          if (!withAttempts.isEmpty()) {
            var _ =
                Sql.update(
                        "insert_ledger_attempts", INSERT_ATTEMPTS, EntryJson.attempts(withAttempts))
                    .apply(db);
          }
          return identity;
        });
  }

  /** What is confirmed must survive a crash of a server that commits asynchronously otherwise. */
  private static void durable(DbExecute db) {
    var _ =
        Sql.get(
                "commit_ledger_entries_durably",
                """
                SELECT set_config('synchronous_commit', 'on', true) AS x
                WHERE current_setting('synchronous_commit') = 'off'""",
                it -> true)
            .apply(db);
  }

  private static String identity(DbExecute db) {
    return Sql.get("get_database_identity", IDENTITY, it -> it.column("identity").getString())
        .apply(db)
        .orElseThrow();
  }

  /** The identity of the database, without a span. */
  @Override
  public String identity() {
    return database.poll(LedgerEntryStore::identity);
  }

  /** Creates the partitions for the month of a time, unless they exist. */
  void ensurePartitions(Instant within) {
    database.execute(
        db ->
            Sql.get(
                    "ensure_ledger_partitions",
                    "SELECT ledger_ensure_partitions(?)",
                    it -> true,
                    utc(within))
                .apply(db));
  }

  /**
   * Drops a month's partition of one table with all rows before a time, unless another replica is
   * doing that. Waits shortly for its lock, because all statements of the table wait behind it.
   *
   * @return its name; null if there is none
   */
  @Nullable String dropPartition(Instant before) {
    return database.transaction(
        db -> {
          boolean alone =
              Sql.get(
                      "lock_ledger_retention",
                      "SELECT pg_try_advisory_xact_lock(hashtext('ledger_retention')) AS alone",
                      it -> it.column("alone").getBoolean())
                  .apply(db)
                  .orElse(false);
          if (!alone) {
            return null;
          }
          var _ =
              Sql.get(
                      "limit_ledger_lock",
                      "SELECT set_config('lock_timeout', '1s', true) AS x",
                      it -> true)
                  .apply(db);
          return Sql.get(
                  "drop_ledger_partition",
                  "SELECT coalesce(ledger_drop_partition(?), '') AS name",
                  it -> it.column("name").getString(),
                  utc(before))
              .apply(db)
              .filter(it -> !it.isEmpty())
              .orElse(null);
        });
  }

  /**
   * Deletes rows before a time that no month's partition took.
   *
   * @return how many; fewer than the limit if none is left
   */
  long deleteFromDefault(String table, Instant before, int limit) {
    return database.execute(
        Sql.update(
            "delete_old_" + table,
            "DELETE FROM %1$s_default WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s_default WHERE created_at < ? LIMIT ?))"
                .formatted(table),
            utc(before),
            limit));
  }

  private static OffsetDateTime utc(Instant time) {
    return time.atOffset(ZoneOffset.UTC);
  }
}
