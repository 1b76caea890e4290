package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a text file. */
final class PlainText {
  private PlainText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    writer.add(text(file, writer));
  }

  /** Reads a program or data, which is divided between its lines. */
  static void readLines(Path file, SectionWriter writer) throws IOException, ExtractionException {
    writer.addLines("", text(file, writer));
  }

  /**
   * Returns the text of a file without the escape sequences of terminals, and reports its encoding.
   *
   * @throws ExtractionException if it is binary data, or its encoding is not recognised
   */
  static String text(Path file, SectionWriter writer) throws IOException, ExtractionException {
    Decoded decoded = TextDecoder.xml(Files.readAllBytes(file), null);
    if (!ControlCharacters.areFew(decoded.text())) {
      throw new ExtractionException(
          "wrong_type", "The file is not text: it contains NUL or other control characters.");
    }
    writer.encoding(decoded.encoding());
    return ControlCharacters.withoutEscapes(decoded.text());
  }
}
