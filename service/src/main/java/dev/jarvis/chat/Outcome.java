package dev.jarvis.chat;

import dev.jarvis.model.ModelException;
import java.util.Locale;

/** How a request to a model ended. */
enum Outcome {
  OK,
  /** No model was asked: the answer was given before. */
  CACHED,
  ERROR,
  ABORTED,
  REJECTED;

  /** How one ended that failed: rejected is what the model server did not take on. */
  static Outcome of(ModelException e) {
    boolean refused =
        e instanceof ModelException.NotFound
            || e instanceof ModelException.Busy
            || e instanceof ModelException.Refused;
    return refused ? REJECTED : ERROR;
  }

  /** As {@code llm_requests_total} names it. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
