package dev.jarvis.chat;

import dev.jarvis.model.ChatStream.Chunk;

/** An answer on its way to a client; used by one thread. */
interface Answer {
  /**
   * Waits for the next piece; the one with a finish is the last.
   *
   * @throws dev.jarvis.http.ApiException if the answer fails midway
   */
  Chunk next();

  /** The client is gone. */
  void abort();
}
