package dev.jarvis.gateway;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One call to a model, on its way through the pipeline.
 *
 * @param id the service's own UUIDv7; the ledger's key
 * @param requestId what the client knows the request by
 * @param userId the key's user
 * @param endUser the person behind the key, where the request names one
 * @param streamed whether the client wants the answer piece by piece
 * @param cacheControl the client's header {@code Cache-Control}; may be empty
 * @param record collects what happens to the call
 */
public record Call(
    UUID id,
    String requestId,
    String userId,
    @Nullable String endUser,
    Question question,
    boolean streamed,
    String cacheControl,
    CallRecord record) {

  /** A call that begins now. */
  public static Call of(
      UUID id,
      String requestId,
      String userId,
      @Nullable String endUser,
      Question question,
      boolean streamed,
      String cacheControl) {
    return new Call(
        id, requestId, userId, endUser, question, streamed, cacheControl, new CallRecord());
  }

  /** The same call with another question. */
  public Call with(Question other) {
    return new Call(id, requestId, userId, endUser, other, streamed, cacheControl, record);
  }

  /** Who asks: the key's user, and the end user where one is named. */
  public List<String> asker() {
    return endUser == null ? List.of(userId) : List.of(userId, endUser);
  }
}
