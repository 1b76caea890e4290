package dev.jarvis.ledger;

import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Usage;
import dev.jarvis.storage.Database;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/** The table {@code llm_requests}. */
final class LedgerEntryStore {
  static final String INSERT_NAME = "insert_llm_request";

  // idempotent: a row with the same id is the same entry
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
   * Writes an entry, unless it is there already.
   *
   * @throws io.helidon.dbclient.DbClientException if it cannot be written
   */
  void insert(LedgerEntry entry) {
    LedgerEntry.Origin origin = entry.origin();
    LedgerEntry.Result result = entry.result();
    Usage usage = entry.usage();
    LedgerEntry.Delivery delivery = entry.delivery();
    FinishReason finishReason = result.finishReason();
    database.execute(
        db ->
            db.createNamedInsert(INSERT_NAME, INSERT)
                .addParam(entry.id())
                .addParam(utc(entry.createdAt()))
                .addParam(text(origin.caller().userId()))
                .addParam(text(origin.caller().endUser()))
                .addParam(text(origin.requestId()))
                .addParam(origin.traceId())
                .addParam(result.operation().id())
                .addParam(text(result.target().model()))
                .addParam(text(result.target().provider()))
                .addParam(result.outcome().label())
                .addParam(usage.inputTokens() - usage.cachedInputTokens())
                .addParam(usage.cachedInputTokens())
                .addParam(usage.outputTokens() - usage.reasoningTokens())
                .addParam(usage.reasoningTokens())
                .addParam(usage.estimated())
                .addParam(entry.costUsd() == null ? null : entry.costUsd().toPlainString())
                .addParam(delivery.streamed())
                .addParam(delivery.duration().toMillis())
                .addParam(millis(delivery.timeToFirstToken()))
                .addParam(text(finishReason == null ? null : finishReason.id()))
                .addParam(origin.callId())
                .addParam(origin.attempt())
                .execute());
  }

  /** Creates the partition for the month of a time, unless it exists. */
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

  /** PostgreSQL refuses NUL in a text: without this, a client could keep its use unrecorded. */
  private static @Nullable Object text(@Nullable String text) {
    return text == null ? null : text.replace("\0", "");
  }

  private static @Nullable Object millis(@Nullable Duration duration) {
    return duration == null ? null : duration.toMillis();
  }
}
