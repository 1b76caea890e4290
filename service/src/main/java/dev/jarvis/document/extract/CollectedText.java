package dev.jarvis.document.extract;

import java.util.ArrayList;
import java.util.List;

/** Keeps a document's text. */
final class CollectedText extends SectionWriter {
  private final List<Section> sections = new ArrayList<>();

  CollectedText(int maxChars) {
    super(maxChars);
  }

  @Override
  void write(Section section) {
    sections.add(section);
  }

  /**
   * Returns the whole text.
   *
   * @throws ExtractionException if it has no letters or digits
   */
  Extraction extraction() throws ExtractionException {
    end();
    return new Extraction(sections, encoding());
  }
}
