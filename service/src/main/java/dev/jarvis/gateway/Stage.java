package dev.jarvis.gateway;

/** One step of the pipeline: refuses a call, answers it, or passes it on. Thread-safe. */
public interface Stage {
  /** The stages after this one. */
  interface Next {
    Answer proceed(Call call);
  }

  /**
   * Handles a call.
   *
   * @return the next stage's answer, possibly changed, or a new one
   * @throws dev.jarvis.error.ApiException if the call is refused or fails
   */
  Answer handle(Call call, Next next);
}
