package dev.jarvis.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

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

  private static final int MAX_NAME = 512;

  /** Cuts what a client has chosen: what is kept of a call is bounded. */
  public Origin {
    userId = bounded(userId);
    endUser = endUser == null ? null : bounded(endUser);
    requestId = bounded(requestId);
  }

  /** At most 512 characters; half of a surrogate pair, which cannot be written, is replaced. */
  static String bounded(String name) {
    String cut = name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME);
    return new String(cut.getBytes(UTF_8), UTF_8);
  }

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
