package dev.jarvis.document;

import dev.jarvis.http.ApiException;
import java.util.HashMap;
import java.util.Map;

/** How many files are uploaded at once: no user has all the turns. Thread-safe. */
final class UploadTurns {
  private static final int MAX_AT_ONCE = 16;
  private static final int MAX_OF_A_USER = 8;

  private final Map<String, Integer> taken = new HashMap<>();

  /** A turn, to be closed when the upload is over. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Takes a turn.
   *
   * @throws ApiException.Overloaded if there is none now
   */
  synchronized Turn take(String user) {
    int all = taken.values().stream().mapToInt(Integer::intValue).sum();
    if (all >= MAX_AT_ONCE || taken.getOrDefault(user, 0) >= MAX_OF_A_USER) {
      throw new ApiException.Overloaded(
          "%d files are uploaded at once at most, %d of a user; try again."
              .formatted(MAX_AT_ONCE, MAX_OF_A_USER));
    }
    taken.merge(user, 1, Integer::sum);
    return () -> giveBack(user);
  }

  private synchronized void giveBack(String user) {
    taken.computeIfPresent(user, (name, turns) -> turns == 1 ? null : turns - 1);
  }
}
