package dev.jarvis.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.Json;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Ledger entries as JSON arrays whose objects have the columns of the two tables. */
final class EntryJson {
  private EntryJson() {}

  static String entries(Collection<LedgerEntry> entries) {
    ArrayNode rows = Json.object().putArray("rows");
    for (LedgerEntry entry : entries) {
      Origin origin = entry.origin();
      Duration first = entry.timeToFirstToken();
      ObjectNode row =
          rows.addObject()
              .put("id", entry.id().toString())
              .put("created_at", entry.createdAt().toString())
              .put("rank", entry.rank().number())
              .put("day", entry.day().toString())
              .put("user_id", text(origin.userId()))
              .put("team_id", text(origin.teamId()))
              .put("key_id", text(origin.keyId()))
              .put("end_user", text(origin.endUser()))
              .put("parent_id", origin.parentId() == null ? null : origin.parentId().toString())
              .put("request_id", text(origin.requestId()))
              .put("trace_id", text(origin.traceId()))
              .put("operation", entry.asked().operation().id())
              .put("requested_model", text(entry.asked().model()))
              .put("streamed", entry.asked().streamed())
              .put("attempts", entry.attempts().size())
              .put("cost_usd", plain(entry.costUsd()))
              .put("comparison_usd", plain(entry.comparisonUsd()))
              .put("duration_ms", entry.duration().toMillis())
              .put("time_to_first_token_ms", first == null ? null : first.toMillis());
      LedgerEntry.Result result = entry.result();
      ended(row, result.target(), result.outcome().label(), result.finishReason());
      usage(row, entry.usage());
    }
    return rows.toString();
  }

  static String attempts(Collection<LedgerEntry> entries) {
    ArrayNode rows = Json.object().putArray("rows");
    for (LedgerEntry entry : entries) {
      for (AttemptEntry attempt : entry.attempts()) {
        Cost cost = attempt.cost();
        Duration first = attempt.timeToFirstToken();
        ObjectNode row =
            rows.addObject()
                .put("call_id", entry.id().toString())
                .put("created_at", entry.createdAt().toString())
                .put("number", attempt.number())
                .put("worked", attempt.worked())
                .put("cost_usd", plain(cost == null ? null : cost.usd()))
                .put("comparison_usd", plain(cost == null ? null : cost.comparison()))
                .put("duration_ms", attempt.duration().toMillis())
                .put("time_to_first_token_ms", first == null ? null : first.toMillis());
        ended(row, attempt.target(), attempt.outcome().label(), attempt.finishReason());
        usage(row, attempt.usage());
      }
    }
    return rows.toString();
  }

  private static void ended(
      ObjectNode row, TargetName target, String outcome, @Nullable FinishReason reason) {
    row.put("provider", text(target.provider()))
        .put("model", text(target.model()))
        .put("outcome", outcome)
        .put("finish_reason", reason == null ? null : reason.id());
  }

  private static void usage(ObjectNode row, Usage usage) {
    row.put("input_tokens", usage.freshInputTokens())
        .put("cached_input_tokens", usage.cachedInputTokens())
        .put("output_tokens", usage.answerTokens())
        .put("reasoning_tokens", usage.reasoningTokens())
        .put("estimated", usage.estimated());
  }

  private static @Nullable String plain(@Nullable BigDecimal amount) {
    return amount == null ? null : amount.toPlainString();
  }

  /**
   * PostgreSQL refuses NUL and half of a surrogate pair: without this, a client could keep its use
   * unrecorded.
   */
  private static @Nullable String text(@Nullable String text) {
    return text == null ? null : new String(text.replace("\0", "").getBytes(UTF_8), UTF_8);
  }
}
