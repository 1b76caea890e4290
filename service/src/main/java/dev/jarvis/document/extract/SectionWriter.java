package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Receives a document's text section by section, normalises it and enforces the limit. */
abstract class SectionWriter {
  /** What a section counts, beside its heading. */
  static final int SECTION_CHARS = 16;

  private final int maxChars;
  private @Nullable TextEncoding encoding;
  private long chars;
  private long headingChars;
  private boolean readable;
  private boolean paged;

  SectionWriter(int maxChars) {
    this.maxChars = maxChars;
  }

  abstract void write(Section section) throws IOException, ExtractionException;

  /** Adds text without pages and headings. */
  void add(String text) throws IOException, ExtractionException {
    add(0, "", text);
  }

  /**
   * Adds text.
   *
   * @param page from 1; 0 if the format has no pages
   * @param heading see {@link Section#heading}
   * @throws ExtractionException if the text is longer than allowed
   */
  void add(int page, String heading, String text) throws IOException, ExtractionException {
    add(new Section(page, heading, text));
  }

  /**
   * Adds lines of which each is a unit, without pages.
   *
   * @throws ExtractionException if the text is longer than allowed
   */
  void addLines(String heading, String text) throws IOException, ExtractionException {
    add(new Section(0, heading, text, true));
  }

  /**
   * Adds a section.
   *
   * @throws ExtractionException if the text is longer than allowed; so may be all headings, of
   *     which each section has its own
   */
  void add(Section section) throws IOException, ExtractionException {
    int page = section.page();
    String text = section.text();
    paged |= page > 0;
    chars += text.length();
    headingChars += section.heading().length() + SECTION_CHARS;
    if (Math.max(chars, headingChars) > maxChars) {
      throw tooMuch(maxChars);
    }
    String clean = clean(text);
    readable |= clean.codePoints().anyMatch(Character::isLetterOrDigit);
    if (!clean.isBlank()) {
      write(new Section(page, clean(section.heading()).strip(), clean, section.lines()));
    }
  }

  static ExtractionException tooMuch(int maxChars) {
    return new ExtractionException(
        "too_much_text",
        "The file has too much text; the maximum is %d characters.".formatted(maxChars));
  }

  static ExtractionException tooManyPages(int pages, int maxPages) {
    return new ExtractionException(
        "too_many_pages", "The file has %d pages; the maximum is %d.".formatted(pages, maxPages));
  }

  /** Tells how the bytes of the text were read. */
  void encoding(TextEncoding encoding) {
    this.encoding = encoding;
  }

  /** Returns null if the format defines the encoding. */
  @Nullable TextEncoding encoding() {
    return encoding;
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
