package dev.jarvis.gateway;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where a call came from, and who pays for it.
 *
 * @param keyId the id of the API key, never the key; null for calls of the service itself
 * @param endUser the person that the request named; null if it named nobody
 * @param parentId the id of the call that needed this one; null if a client asked for it
 * @param requestId the {@code x-request-id} that the client sees
 * @param traceId 32 hex digits
 */
public record Origin(
    String userId,
    @Nullable String teamId,
    @Nullable String keyId,
    @Nullable String endUser,
    @Nullable UUID parentId,
    String requestId,
    String traceId) {

  /** The origin of a call. */
  public static Origin of(Call call, String traceId) {
    Caller caller = call.caller();
    return new Origin(
        caller.userId(),
        caller.teamId(),
        caller.keyId(),
        caller.endUser(),
        call.parentId(),
        call.requestId(),
        traceId);
  }
}
