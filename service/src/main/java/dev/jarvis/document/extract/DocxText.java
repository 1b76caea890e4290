package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.xml.sax.Attributes;

/**
 * Extracts the text of a Word document as Word prints it with all changes accepted and without
 * comments. Headers and footers follow the text, each once.
 */
final class DocxText {
  private static final String KIND = "wordprocessingml\\.(document|template)";
  private static final String NAME = "Word (.docx)";

  private final TextLayout layout;
  private final PackagePart main;
  private final WordStyles styles = new WordStyles();
  private final WordLists lists = new WordLists();
  private final WordChunks chunks;

  DocxText(TextLayout layout, PackagePart main, WordChunks chunks) {
    this.layout = layout;
    this.main = main;
    this.chunks = chunks;
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    try (OfficePackage office = OfficePackage.open(file, KIND, NAME)) {
      TextLayout layout = new TextLayout(writer);
      DocxText text = new DocxText(layout, office.main(), new WordChunks(layout));
      layout.marginals(text.read());
      layout.end();
    }
  }

  /** Opens a document that another one includes. */
  static OfficePackage open(InputStream in) throws IOException, ExtractionException {
    return OfficePackage.open(in, KIND, NAME);
  }

  /** Adds the text, and returns the headers and footers. */
  Set<String> read() throws IOException, ExtractionException {
    for (PackagePart part : OfficePackage.ofKind(main, "styles")) {
      OfficePackage.parse(part, styles);
    }
    for (PackagePart part : OfficePackage.ofKind(main, "numbering")) {
      OfficePackage.parse(part, lists);
    }
    Map<String, String> footnotes = notes("footnotes");
    Map<String, String> endnotes = notes("endnotes");
    WordHandler document =
        new WordHandler(layout, main, styles, lists, footnotes, endnotes, chunks);
    OfficePackage.parse(main, document);
    Set<String> shown = new LinkedHashSet<>();
    for (String id : document.marginals(evenPages())) {
      PackagePart part = OfficePackage.byId(main, id);
      if (part != null) {
        layout.capture();
        OfficePackage.parse(part, handler(part));
        shown.add(layout.captured());
      }
    }
    shown.addAll(chunks.marginals());
    return shown;
  }

  private Map<String, String> notes(String kind) throws IOException, ExtractionException {
    for (PackagePart part : OfficePackage.ofKind(main, kind)) {
      WordHandler handler = handler(part);
      layout.capture();
      OfficePackage.parse(part, handler);
      layout.captured();
      return handler.notes();
    }
    return Map.of();
  }

  private WordHandler handler(PackagePart part) {
    return new WordHandler(layout, part, styles, lists, Map.of(), Map.of(), chunks);
  }

  private boolean evenPages() throws IOException, ExtractionException {
    AtomicBoolean even = new AtomicBoolean();
    XmlHandler settings =
        new XmlHandler() {
          @Override
          boolean start(String name, Attributes attributes) {
            if (name.equals("w:evenAndOddHeaders")) {
              even.set(WordStyles.isOn(attributes));
            }
            return true;
          }
        };
    for (PackagePart part : OfficePackage.ofKind(main, "settings")) {
      OfficePackage.parse(part, settings);
    }
    return even.get();
  }
}
