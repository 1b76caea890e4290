package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Recognises a mail that was saved as a text in Unicode, as editors do: in UTF-16 or UTF-32, or
 * with a byte order mark. A mail is bytes otherwise, of which each part has its own encoding.
 */
final class UnicodeMail {
  private static final int HEAD_BYTES = 4_096;

  private UnicodeMail() {}

  /**
   * Decodes a mail.
   *
   * @return null if it was not saved as a text
   * @throws ExtractionException if it begins as Unicode but is none
   */
  static @Nullable Decoded decode(Path file) throws IOException, ExtractionException {
    byte[] head;
    try (InputStream in = Files.newInputStream(file)) {
      head = in.readNBytes(HEAD_BYTES); // files of bytes may be large
    }
    return UnicodeText.byMark(head).or(() -> UnicodeText.byNuls(head)).isPresent()
        ? TextDecoder.decode(Files.readAllBytes(file), null)
        : null;
  }
}
