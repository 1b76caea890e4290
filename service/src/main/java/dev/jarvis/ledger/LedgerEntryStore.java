package dev.jarvis.ledger;

import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/** The table {@code llm_requests}. */
final class LedgerEntryStore {
  static final String INSERT_NAME = "insert_llm_request";

  // a row that is there already is the same row: its id is the request's
  private static final String INSERT =
      """
      INSERT INTO llm_requests (
        id, created_at, user_id, end_user, request_id, trace_id, operation, model, provider, outcome, input_tokens,
        cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd, streamed, duration_ms, time_to_first_token_ms,
        finish_reason, call_id, attempt)
      VALUES (CAST(? AS uuid), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS numeric), ?, ?, ?, ?, CAST(? AS uuid), ?)
      ON CONFLICT DO NOTHING""";

  private final Database database;

  LedgerEntryStore(Database database) {
    this.database = database;
  }

  /**
   * Writes a row.
   *
   * @throws io.helidon.dbclient.DbClientException if it cannot be written
   */
  void insert(LedgerEntry use) {
    database.execute(
        db ->
            db.createNamedInsert(INSERT_NAME, INSERT)
                .addParam(use.id())
                .addParam(utc(use.createdAt()))
                .addParam(text(use.userId()))
                .addParam(text(use.endUser()))
                .addParam(text(use.requestId()))
                .addParam(text(use.traceId()))
                .addParam(text(use.operation()))
                .addParam(text(use.model()))
                .addParam(text(use.provider()))
                .addParam(text(use.outcome()))
                .addParam(use.inputTokens())
                .addParam(use.cachedInputTokens())
                .addParam(use.outputTokens())
                .addParam(use.reasoningTokens())
                .addParam(use.estimated())
                .addParam(use.costUsd() == null ? null : use.costUsd().toPlainString())
                .addParam(use.streamed())
                .addParam(use.duration().toMillis())
                .addParam(millis(use.timeToFirstToken()))
                .addParam(text(use.finishReason()))
                .addParam(use.callId())
                .addParam(use.attempt())
                .execute());
  }

  /** Makes sure that the month of a time has its partition. */
  void ensurePartition(Instant within) {
    database.execute(
        db ->
            db.createNamedGet(
                    "ensure_llm_requests_partition", "SELECT llm_requests_ensure_partition(?)")
                .addParam(utc(within))
                .execute());
  }

  private static OffsetDateTime utc(Instant time) {
    return time.atOffset(ZoneOffset.UTC);
  }

  /** PostgreSQL takes no NUL in a text, and a client could lose its row by sending one. */
  private static @Nullable Object text(@Nullable String text) {
    return text == null ? null : text.replace("\0", "");
  }

  private static @Nullable Object millis(@Nullable Duration duration) {
    return duration == null ? null : duration.toMillis();
  }
}
