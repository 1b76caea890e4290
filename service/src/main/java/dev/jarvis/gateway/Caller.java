package dev.jarvis.gateway;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who makes a call.
 *
 * @param userId the user that the API key belongs to
 * @param endUser the person that the request names as {@code user}; null if it names nobody
 */
public record Caller(String userId, @Nullable String endUser) {

  /** The names that identify the caller: the user, and the end user if there is one. */
  public List<String> names() {
    return endUser == null ? List.of(userId) : List.of(userId, endUser);
  }
}
