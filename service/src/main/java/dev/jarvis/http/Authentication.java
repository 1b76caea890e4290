package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import dev.jarvis.identity.AuthenticationFailure;
import dev.jarvis.identity.Principal;
import org.jspecify.annotations.Nullable;

/**
 * The client of a request, or why it is not known. An endpoint that anybody may use ignores the
 * reason.
 *
 * @param principal null if the client is not known
 * @param failure null if the request has no credential, or a good one
 */
public record Authentication(
    @Nullable Principal principal, @Nullable AuthenticationFailure failure) {
  /** The request has no credential. */
  public static final Authentication NONE = new Authentication(null, null);

  /** The error for an endpoint that requires a key. */
  ApiException refusal() {
    return failure != null
        ? failure.error()
        : new ApiException.Unauthenticated(
            "The API key is missing; send it as \"Authorization: Bearer KEY\".");
  }
}
