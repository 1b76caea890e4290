package dev.jarvis.gateway;

import java.util.UUID;

/**
 * One call to a model, on its way through the pipeline.
 *
 * @param id the service's own UUIDv7; the ledger's key
 * @param requestId the {@code x-request-id} that the client sees
 * @param streamed whether the client wants the answer piece by piece
 * @param cacheControl the client's header {@code Cache-Control}; may be empty
 * @param record collects what happens to the call
 */
public record Call(
    UUID id,
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
    return new Call(id, requestId, caller, question, streamed, cacheControl, new CallRecord());
  }

  /** The same call with another question. */
  public Call with(Question other) {
    return new Call(id, requestId, caller, other, streamed, cacheControl, record);
  }

  public String userId() {
    return caller.userId();
  }
}
