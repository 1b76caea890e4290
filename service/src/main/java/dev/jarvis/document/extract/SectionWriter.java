package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Receives a document's text section by section, normalises it and enforces the limit. */
abstract class SectionWriter {
  private final int maxChars;
  private long chars;
  private boolean readable;
  private boolean paged;

  SectionWriter(int maxChars) {
    this.maxChars = maxChars;
  }

  abstract void write(Section section) throws IOException;

  /**
   * Adds text.
   *
   * @param page from 1; 0 if the format has no pages
   * @throws ExtractionException if the text is longer than allowed
   */
  void add(int page, String text) throws IOException, ExtractionException {
    paged |= page > 0;
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
        "The file has too much text; the maximum is %d characters.".formatted(maxChars));
  }

  /**
   * Ends the text.
   *
   * @throws ExtractionException if it has no letters or digits
   */
  void end() throws ExtractionException {
    if (!readable) {
      throw new ExtractionException(
          "no_text",
          paged
              ? "The file has no text. Scanned documents are not supported."
              : "The file has no text.");
    }
  }

  /** Removes what PostgreSQL refuses, and needless blanks. */
  private static String clean(String text) {
    String valid =
        new String(
            text.getBytes(StandardCharsets.UTF_8),
            StandardCharsets.UTF_8); // replaces unpaired surrogates
    return valid
        .replace("\r\n", "\n")
        .replace('\r', '\n')
        .replaceAll("[\\p{Cntrl}&&[^\n\t]]", " ")
        .replaceAll("(?<![ \t])[ \t]++\n", "\n") // in time proportional to the text
        .replaceAll("\n{3,}", "\n\n");
  }
}
