package dev.jarvis.provider;

import java.io.IOException;

/** A model server sent more than JARVIS reads. The message may be shown to a client. */
final class AnswerTooLongException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param what is too long: answer, event or stream
   */
  AnswerTooLongException(String what, long limitBytes) {
    super(
        "The model server's %s is longer than the maximum of %s."
            .formatted(
                what, limitBytes < 1 << 20 ? limitBytes + " bytes" : (limitBytes >> 20) + " MiB"));
  }
}
