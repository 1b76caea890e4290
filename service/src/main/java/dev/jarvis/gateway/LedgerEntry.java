package dev.jarvis.gateway;

import dev.jarvis.id.UuidV7;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What one attempt of a call used: a row of {@code llm_requests}. Never contains the prompt or the
 * answer.
 *
 * @param id a UUIDv7: the call's id for its last attempt, a new one for each attempt before
 * @param costUsd null if the model had no price at that time
 */
public record LedgerEntry(
    UUID id,
    Origin origin,
    Result result,
    Usage usage,
    @Nullable BigDecimal costUsd,
    Delivery delivery) {

  /**
   * Where the entry comes from.
   *
   * @param callId the {@link Call#id} of the call
   * @param attempt the number of the attempt within the call, from 1
   * @param requestId the {@code x-request-id} that the client sees
   * @param traceId 32 hex digits
   */
  public record Origin(UUID callId, int attempt, Caller caller, String requestId, String traceId) {}

  /**
   * What was asked of which model, and how it ended.
   *
   * @param finishReason null if the answer did not end
   */
  public record Result(
      Operation operation,
      TargetName target,
      Outcome outcome,
      @Nullable FinishReason finishReason) {}

  /**
   * How the answer was sent, and how long it took.
   *
   * @param timeToFirstToken null if it is not known
   */
  public record Delivery(boolean streamed, Duration duration, @Nullable Duration timeToFirstToken) {
    /** An answer from the cache: no model took any time. */
    static Delivery cached(boolean streamed) {
      return new Delivery(streamed, Duration.ZERO, null);
    }
  }

  /** Checks that the id is a UUIDv7: its time selects the row's partition. */
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
