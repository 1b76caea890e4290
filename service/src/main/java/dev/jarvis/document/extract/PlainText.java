package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a text file. */
final class PlainText {
  private PlainText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    Decoded decoded = TextDecoder.decode(Files.readAllBytes(file), null);
    writer.encoding(decoded.encoding());
    check(decoded.text());
    writer.add(decoded.text());
  }

  private static void check(String text) throws ExtractionException {
    if (text.indexOf('\0') >= 0) {
      throw new ExtractionException(
          "wrong_type", "The file is not text: it contains NUL characters.");
    }
  }
}
