package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.xml.sax.Attributes;

/** The charts and diagrams (SmartArt) of an office file, which are parts of their own. */
final class Graphics {
  private Graphics() {}

  /**
   * Returns the text of a graphic.
   *
   * @param part which contains it
   * @param name the element that refers to it: {@code c:chart} or {@code dgm:relIds}
   */
  static String text(PackagePart part, String name, Attributes attributes)
      throws IOException, ExtractionException {
    boolean chart = name.equals("c:chart");
    String id = XmlHandler.reference(attributes, chart ? "id" : "dm");
    PackagePart graphic = OfficePackage.byId(part, id);
    if (graphic == null) {
      return "";
    }
    if (chart) {
      ChartHandler handler = new ChartHandler();
      OfficePackage.parse(graphic, handler);
      return handler.text();
    }
    DiagramHandler handler = new DiagramHandler();
    OfficePackage.parse(graphic, handler);
    return String.join("\n", handler.points);
  }

  /** The points of a diagram's model; those that only arrange it have no text. */
  private static final class DiagramHandler extends XmlHandler {
    final List<String> points = new ArrayList<>();
    private final StringBuilder point = new StringBuilder();
    private boolean inText;

    @Override
    boolean start(String name, Attributes attributes) {
      switch (name) {
        case "dgm:pt" -> point.setLength(0);
        case "a:p", "a:br" -> point.append(' ');
        case "a:t" -> inText = true;
        default -> {}
      }
      return !name.equals("dgm:prSet");
    }

    @Override
    void end(String name) {
      if (name.equals("a:t")) {
        inText = false;
      } else if (name.equals("dgm:pt") && !point.toString().isBlank()) {
        points.add(TextLayout.oneLine(point.toString()));
      }
    }

    @Override
    void text(String text) {
      if (inText) {
        point.append(text);
      }
    }
  }
}
