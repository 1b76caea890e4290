package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.xml.sax.Attributes;

/**
 * Extracts the values of a workbook as Excel shows them, a row on a line, without hidden sheets,
 * rows and columns. What is drawn on a sheet follows its rows.
 */
final class XlsxText {
  private final TextLayout layout;
  private final PackagePart main;

  private XlsxText(TextLayout layout, PackagePart main) {
    this.layout = layout;
    this.main = main;
  }

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    try (OfficePackage office =
        OfficePackage.open(file, "spreadsheetml\\.(sheet|template)", "Excel (.xlsx)")) {
      TextLayout layout = new TextLayout(writer);
      new XlsxText(layout, office.main()).read();
      layout.end();
    }
  }

  private void read() throws IOException, ExtractionException {
    Workbook workbook = new Workbook();
    OfficePackage.parse(main, workbook);
    CellFormats formats = new CellFormats(workbook.from1904);
    for (PackagePart part : OfficePackage.ofKind(main, "styles")) {
      OfficePackage.parse(part, formats);
    }
    Strings strings = new Strings();
    for (PackagePart part : OfficePackage.ofKind(main, "sharedStrings")) {
      OfficePackage.parse(part, strings);
    }
    for (Sheet sheet : workbook.sheets) {
      PackagePart part = OfficePackage.byId(main, sheet.id);
      if (part != null) {
        layout.section();
        layout.lines(true);
        OfficePackage.parse(part, new SheetHandler(layout, sheet.name, strings.values, formats));
        layout.lines(false);
        draw(part);
      }
    }
  }

  private void draw(PackagePart sheet) throws IOException, ExtractionException {
    for (PackagePart drawing : OfficePackage.ofKind(sheet, "drawing")) {
      DrawingHandler shapes = new DrawingHandler(layout, drawing);
      OfficePackage.parse(drawing, shapes);
      for (String block : shapes.blocks()) {
        layout.verbatim(block);
        layout.paragraph();
      }
    }
  }

  /** A sheet that is shown. */
  private record Sheet(String name, String id) {}

  private static final class Workbook extends XmlHandler {
    final List<Sheet> sheets = new ArrayList<>();
    boolean from1904;

    @Override
    boolean start(String name, Attributes attributes) {
      if (name.equals("x:workbookPr")) {
        from1904 = value(attributes, "date1904", "0").matches("1|true");
      } else if (name.equals("x:sheet")
          && value(attributes, "state", "visible").equals("visible")) {
        sheets.add(new Sheet(value(attributes, "name", ""), reference(attributes, "id")));
      }
      return true;
    }

    @Override
    void end(String name) {}
  }

  /** The texts that cells refer to, without the readings of Japanese. */
  private static final class Strings extends XmlHandler {
    final List<String> values = new ArrayList<>();
    private final StringBuilder value = new StringBuilder();
    private boolean inText;

    @Override
    boolean start(String name, Attributes attributes) {
      switch (name) {
        case "x:si" -> value.setLength(0);
        case "x:t" -> inText = true;
        default -> {}
      }
      return !name.equals("x:rPh");
    }

    @Override
    void end(String name) {
      if (name.equals("x:si")) {
        values.add(value.toString());
      } else if (name.equals("x:t")) {
        inText = false;
      }
    }

    @Override
    void text(String text) {
      if (inText) {
        value.append(text);
      }
    }
  }
}
