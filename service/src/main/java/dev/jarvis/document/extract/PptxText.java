package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.xml.sax.Attributes;

/**
 * Extracts the text of a presentation: a page for each slide that is shown, its title first and the
 * speaker's notes last. A footer is read once.
 */
final class PptxText {
  private final TextLayout layout;
  private final PackagePart main;
  private final Set<String> footers = new HashSet<>();

  private PptxText(TextLayout layout, PackagePart main) {
    this.layout = layout;
    this.main = main;
  }

  static void read(Path file, int maxPages, SectionWriter writer)
      throws IOException, ExtractionException {
    try (OfficePackage office =
        OfficePackage.open(
            file, "presentationml\\.(presentation|slideshow|template)", "PowerPoint (.pptx)")) {
      TextLayout layout = new TextLayout(writer);
      new PptxText(layout, office.main()).read(maxPages);
      layout.end();
    }
  }

  private void read(int maxPages) throws IOException, ExtractionException {
    List<String> slides = new ArrayList<>();
    OfficePackage.parse(
        main,
        new XmlHandler() {
          @Override
          boolean start(String name, Attributes attributes) {
            if (name.equals("p:sldId")) {
              slides.add(reference(attributes, "id"));
            }
            return true;
          }

          @Override
          void end(String name) {}
        });
    if (slides.size() > maxPages) {
      throw SectionWriter.tooManyPages(slides.size(), maxPages);
    }
    for (int i = 0; i < slides.size(); i++) {
      PackagePart slide = OfficePackage.byId(main, slides.get(i));
      if (slide != null) {
        read(slide, i + 1);
      }
    }
  }

  private void read(PackagePart part, int number) throws IOException, ExtractionException {
    DrawingHandler slide = new DrawingHandler(layout, part);
    layout.page(number);
    OfficePackage.parse(part, slide);
    if (slide.slideHidden()) {
      return;
    }
    layout.heading(0, slide.title());
    add(slide.blocks());
    for (PackagePart notes : OfficePackage.ofKind(part, "notesSlide")) {
      DrawingHandler page = new DrawingHandler(layout, notes);
      OfficePackage.parse(notes, page);
      for (String text : page.bodies()) {
        layout.text(text.isBlank() ? "" : "Notes: ");
        add(List.of(text));
      }
    }
    add(slide.footers().stream().filter(footers::add).toList());
  }

  private void add(List<String> blocks) throws IOException, ExtractionException {
    for (String block : blocks) {
      layout.verbatim(block);
      layout.paragraph();
    }
  }
}
