package dev.jarvis.gateway;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One call to a model, on its way through the pipeline.
 *
 * @param id the service's own UUIDv7; the ledger's key
 * @param parentId the id of the call that needs this one; null if a client asked for it
 * @param requestId the {@code x-request-id} that the client sees
 * @param streamed whether the client wants the answer piece by piece
 * @param cacheControl the client's header {@code Cache-Control}; may be empty
 * @param record collects what happens to the call
 */
public record Call(
    UUID id,
    @Nullable UUID parentId,
    String requestId,
    Caller caller,
    Question question,
    boolean streamed,
    String cacheControl,
    CallRecord record) {

  /** A new call with an empty record. */
  public static Call of(
      UUID id,
      String requestId,
      Caller caller,
      Question question,
      boolean streamed,
      String cacheControl) {
    return new Call(
        id, null, requestId, caller, question, streamed, cacheControl, new CallRecord());
  }

  /** The same call, made because another one needs its answer. */
  public Call below(@Nullable UUID parent) {
    return new Call(id, parent, requestId, caller, question, streamed, cacheControl, record);
  }

  /** The same call with another question. */
  public Call with(Question other) {
    return new Call(id, parentId, requestId, caller, other, streamed, cacheControl, record);
  }

  public String userId() {
    return caller.userId();
  }
}
