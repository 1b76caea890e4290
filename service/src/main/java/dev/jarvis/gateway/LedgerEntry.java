package dev.jarvis.gateway;

import dev.jarvis.id.UuidV7;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What one LLM request used: a row of {@code llm_requests}. Never its prompt or its answer.
 *
 * @param id a UUIDv7: the call's, or one of its own for an attempt before the call's last
 * @param callId the service's own UUIDv7 of the call
 * @param attempt which attempt of the call, from 1; the call's own row has the last
 * @param userId the key's user
 * @param endUser the {@code user} of the request's body
 * @param requestId the {@code x-request-id} that the client knows the request by
 * @param traceId 32 hex digits
 * @param operation {@code chat} or {@code embeddings}
 * @param outcome as in {@code llm_requests_total}
 * @param inputTokens without the cached ones
 * @param outputTokens without the reasoning
 * @param estimated whether the model server did not count, so that the tokens are approximate
 * @param costUsd null where the model had no price then
 * @param timeToFirstToken null if no piece of an answer came
 * @param finishReason null if the answer did not end
 */
public record LedgerEntry(
    UUID id,
    UUID callId,
    int attempt,
    String userId,
    @Nullable String endUser,
    String requestId,
    String traceId,
    String operation,
    String model,
    String provider,
    String outcome,
    int inputTokens,
    int cachedInputTokens,
    int outputTokens,
    int reasoningTokens,
    boolean estimated,
    @Nullable BigDecimal costUsd,
    boolean streamed,
    Duration duration,
    @Nullable Duration timeToFirstToken,
    @Nullable String finishReason) {

  /** Checks that the id is a UUIDv7: the row's partition follows from its time. */
  public LedgerEntry {
    if (id.version() != 7) {
      throw new IllegalArgumentException("not a UUIDv7: " + id);
    }
  }

  /** The time in the id. */
  public Instant createdAt() {
    return UuidV7.time(id);
  }
}
