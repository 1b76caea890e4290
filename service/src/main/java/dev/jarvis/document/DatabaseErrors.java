package dev.jarvis.document;

import dev.jarvis.error.ApiException;
import dev.jarvis.storage.Database;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;

/** Reports to clients that the database is unavailable, where a request cannot do without it. */
public final class DatabaseErrors {
  private DatabaseErrors() {}

  /** Returns a handler that throws the errors of another as {@link #toClient} translates them. */
  public static Handler reported(Handler handler) {
    return (request, response) -> {
      try {
        handler.handle(request, response);
      } catch (RuntimeException e) {
        throw toClient(e);
      }
    };
  }

  /**
   * Returns the error for the client if the database is unavailable, otherwise the same error. The
   * cancelled statement of a client that disconnected is no fault of the database.
   */
  public static RuntimeException toClient(RuntimeException error) {
    boolean decided = error instanceof ApiException || error instanceof CloseConnectionException;
    return !decided && Database.isAway(error)
        ? new ApiException.StorageUnavailable(
            "The database did not answer in time; try again later.", "database_unavailable", error)
        : error;
  }
}
