package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Receives a document's text section by section, normalises it and enforces the limit. */
abstract class SectionWriter {
  private final int maxChars;
  private @Nullable TextEncoding encoding;
  private long chars;
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

  private void add(Section section) throws IOException, ExtractionException {
    int page = section.page();
    String text = section.text();
    paged |= page > 0;
    chars += text.length();
    if (chars > maxChars) {
      throw tooMuch(maxChars);
    }
    String clean = clean(text);
    readable |= clean.codePoints().anyMatch(Character::isLetterOrDigit);
    if (!clean.isBlank()) {
      write(new Section(page, clean(section.heading()).strip(), clean, section.lines()));
    }
  }

  /** Returns a writer of a part of the document, whose headings are below the given one. */
  SectionWriter under(String heading) {
    SectionWriter outer = this;
    return new SectionWriter(maxChars) {
      @Override
      void write(Section section) throws IOException, ExtractionException {
        String path =
            Stream.of(heading, section.heading())
                .filter(it -> !it.isEmpty())
                .collect(Collectors.joining(HeadingPath.SEPARATOR));
        outer.add(new Section(section.page(), path, section.text(), section.lines()));
      }
    };
  }

  static ExtractionException tooMuch(int maxChars) {
    return new ExtractionException(
        "too_much_text",
        "The file has too much text; the maximum is %d characters.".formatted(maxChars));
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
