package dev.jarvis.ledger;

import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.storage.Database;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
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
   * Writes the attempts of an entry at which a model worked and the last one, unless they are there
   * already.
   *
   * @throws io.helidon.dbclient.DbClientException if they cannot be written
   */
  void insert(LedgerEntry entry) {
    List<AttemptEntry> attempts = entry.attempts();
    if (attempts.isEmpty()) {
      insert(entry, ofCache(entry.result()), entry.id());
    }
    for (AttemptEntry attempt : attempts) {
      boolean last = attempt.number() == attempts.size();
      if (last || attempt.worked()) {
        insert(entry, attempt, last ? entry.id() : id(entry.id(), attempt.number()));
      }
    }
  }

  private static AttemptEntry ofCache(LedgerEntry.Result result) {
    return new AttemptEntry(
        1,
        result.target(),
        result.outcome(),
        false,
        result.finishReason(),
        Usage.NONE,
        new Cost(BigDecimal.ZERO, null),
        Duration.ZERO,
        null);
  }

  /** The same for each repetition, with the time of the call. */
  private static UUID id(UUID call, int attempt) {
    return new UUID(call.getMostSignificantBits(), call.getLeastSignificantBits() + attempt);
  }

  private void insert(LedgerEntry entry, AttemptEntry attempt, UUID id) {
    Origin origin = entry.origin();
    TargetName target = attempt.target();
    FinishReason finishReason = attempt.finishReason();
    Usage usage = attempt.usage();
    Cost cost = attempt.cost();
    database.execute(
        db ->
            db.createNamedInsert(INSERT_NAME, INSERT)
                .addParam(id)
                .addParam(utc(entry.createdAt()))
                .addParam(text(origin.userId()))
                .addParam(text(origin.endUser()))
                .addParam(text(origin.requestId()))
                .addParam(origin.traceId())
                .addParam(entry.asked().operation().id())
                .addParam(text(target.model()))
                .addParam(text(target.provider()))
                .addParam(attempt.outcome().label())
                .addParam(usage.freshInputTokens())
                .addParam(usage.cachedInputTokens())
                .addParam(usage.answerTokens())
                .addParam(usage.reasoningTokens())
                .addParam(usage.estimated())
                .addParam(cost == null ? null : cost.usd().toPlainString())
                .addParam(entry.asked().streamed())
                .addParam(attempt.duration().toMillis())
                .addParam(millis(attempt.timeToFirstToken()))
                .addParam(text(finishReason == null ? null : finishReason.id()))
                .addParam(entry.id())
                .addParam(attempt.number())
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
