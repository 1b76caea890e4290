package dev.jarvis.document.extract;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;

/** Reads the shapes of a slide, or of a sheet's drawing, in their order. */
final class DrawingHandler extends XmlHandler {
  private final TextLayout layout;
  private final PackagePart part;
  private final AlternateContent alternates = new AlternateContent();
  private final List<String> blocks = new ArrayList<>();
  private final List<String> footers = new ArrayList<>();
  private final List<String> bodies = new ArrayList<>();
  private String title = "";
  private boolean slideHidden;
  private boolean inText;
  private @Nullable Shape shape;

  /** The shape that is open. */
  private static final class Shape {
    String placeholder = "";
    String description = "";
    boolean hidden;
    final List<String> graphics = new ArrayList<>();
  }

  DrawingHandler(TextLayout layout, PackagePart part) {
    this.layout = layout;
    this.part = part;
  }

  String title() {
    return title;
  }

  /** Returns the texts of all shapes but the title and footers. */
  List<String> blocks() {
    return blocks;
  }

  /** Returns what is the same on many slides. */
  List<String> footers() {
    return footers;
  }

  /**
   * Returns the texts of those shapes that hold a page's main text: of a page of notes, the notes.
   */
  List<String> bodies() {
    return bodies;
  }

  boolean slideHidden() {
    return slideHidden;
  }

  @Override
  boolean start(String name, Attributes attributes) throws IOException, ExtractionException {
    switch (name) {
      case "p:sld" -> slideHidden = value(attributes, "show", "1").matches("0|false");
      case "mc:AlternateContent", "mc:Choice", "mc:Fallback" -> {
        return alternates.start(name);
      }
      case "p:sp", "p:pic", "p:graphicFrame", "xdr:sp", "xdr:pic", "xdr:graphicFrame" -> {
        shape = new Shape();
        layout.capture();
      }
      case "p:cNvPr", "xdr:cNvPr" -> {
        if (shape != null) {
          shape.description = value(attributes, "descr", "");
          shape.hidden = isOn(attributes, "hidden");
        }
      }
      case "p:ph" -> {
        if (shape != null) {
          shape.placeholder = value(attributes, "type", "");
        }
      }
      case "c:chart", "dgm:relIds" -> {
        if (shape != null) {
          shape.graphics.add(Graphics.text(part, name, attributes));
        }
      }
      case "a:p" -> layout.line();
      case "a:br" -> layout.lineBreak();
      case "a:t", "m:t" -> inText = shape != null;
      case "a:tr" -> layout.startRow();
      case "a:tc" -> {
        if (isOn(attributes, "hMerge") || isOn(attributes, "vMerge")) { // a cell before covers it
          layout.cell("");
          return false;
        }
        layout.startCell();
      }
      default -> {}
    }
    return true;
  }

  @Override
  void end(String name) throws IOException, ExtractionException {
    switch (name) {
      case "mc:AlternateContent" -> alternates.end();
      case "p:sp", "p:pic", "p:graphicFrame", "xdr:sp", "xdr:pic", "xdr:graphicFrame" -> {
        String text = layout.captured();
        if (shape != null) {
          add(shape, text);
          shape = null;
        }
      }
      case "a:t", "m:t" -> inText = false;
      case "a:tc" -> layout.endCell();
      case "a:tr" -> layout.endRow();
      default -> {}
    }
  }

  private static boolean isOn(Attributes attributes, String name) {
    return value(attributes, name, "0").matches("1|true");
  }

  @Override
  void text(String text) {
    if (inText) {
      layout.text(text);
    }
  }

  private void add(Shape shape, String text) {
    if (shape.hidden) {
      return;
    }
    switch (shape.placeholder) {
      case "title", "ctrTitle" -> title = TextLayout.oneLine(title + " " + text);
      case "ftr", "hdr" -> footers.add(text);
      case "dt", "sldNum", "sldImg" -> {}
      default -> {
        if (shape.placeholder.equals("body")) {
          bodies.add(text);
        }
        blocks.add(text);
        blocks.addAll(shape.graphics);
        blocks.add(shape.description);
      }
    }
  }
}
