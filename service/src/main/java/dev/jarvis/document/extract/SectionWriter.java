package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Takes a document's text piece by piece, cleans it and holds it to its limit. */
abstract class SectionWriter {
  private final int maxChars;
  private long chars;
  private boolean readable;

  SectionWriter(int maxChars) {
    this.maxChars = maxChars;
  }

  abstract void write(Section section) throws IOException;

  /**
   * Adds text.
   *
   * @param page from 1; 0 where the format has none
   * @throws ExtractionException if it is more than allowed
   */
  void add(int page, String text) throws IOException, ExtractionException {
    chars += text.length();
    if (chars > maxChars) {
      throw tooMuch(maxChars);
    }
    String clean = clean(text);
    readable |= clean.codePoints().anyMatch(Character::isLetterOrDigit);
    if (!clean.isBlank()) {
      write(new Section(page, clean));
    }
  }

  static ExtractionException tooMuch(int maxChars) {
    return new ExtractionException(
        "too_much_text",
        "The file has more than the %d characters that are allowed.".formatted(maxChars));
  }

  /**
   * To be called at the end.
   *
   * @throws ExtractionException if there was nothing to read
   */
  void end() throws ExtractionException {
    if (!readable) {
      throw new ExtractionException("no_text", "The file holds no text: is it a scanned document?");
    }
  }

  /** What PostgreSQL and people can do without goes. */
  private static String clean(String text) {
    String valid =
        new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8); // no half pairs
    return valid
        .replace("\r\n", "\n")
        .replace('\r', '\n')
        .replaceAll("[\\p{Cntrl}&&[^\n\t]]", " ")
        .replaceAll("(?<![ \t])[ \t]++\n", "\n") // once over each blank, however many in a row
        .replaceAll("\n{3,}", "\n\n");
  }
}
