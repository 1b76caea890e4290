package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.NoSuchElementException;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.poi.util.XMLHelper;
import org.jspecify.annotations.Nullable;
import org.xml.sax.Attributes;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.XMLReader;
import org.xml.sax.helpers.DefaultHandler;

/**
 * Receives the elements of an office document's XML, named with the prefixes that their
 * specifications use, such as {@code w:p}.
 */
abstract class XmlHandler extends DefaultHandler {
  private static final String OOXML = "http://schemas.openxmlformats.org/";
  private static final String STRICT = "http://purl.oclc.org/ooxml/";
  private static final String ODF = "urn:oasis:names:tc:opendocument:xmlns:";

  private static final Map<String, String> PREFIXES =
      Map.ofEntries(
          Map.entry(OOXML + "wordprocessingml/2006/main", "w:"),
          Map.entry(STRICT + "wordprocessingml/main", "w:"),
          Map.entry(OOXML + "drawingml/2006/main", "a:"),
          Map.entry(STRICT + "drawingml/main", "a:"),
          Map.entry(OOXML + "drawingml/2006/wordprocessingDrawing", "wp:"),
          Map.entry(STRICT + "drawingml/wordprocessingDrawing", "wp:"),
          Map.entry(OOXML + "drawingml/2006/spreadsheetDrawing", "xdr:"),
          Map.entry(STRICT + "drawingml/spreadsheetDrawing", "xdr:"),
          Map.entry(OOXML + "drawingml/2006/chart", "c:"),
          Map.entry(STRICT + "drawingml/chart", "c:"),
          Map.entry(OOXML + "drawingml/2006/diagram", "dgm:"),
          Map.entry(STRICT + "drawingml/diagram", "dgm:"),
          Map.entry(OOXML + "presentationml/2006/main", "p:"),
          Map.entry(STRICT + "presentationml/main", "p:"),
          Map.entry(OOXML + "spreadsheetml/2006/main", "x:"),
          Map.entry(STRICT + "spreadsheetml/main", "x:"),
          Map.entry(OOXML + "officeDocument/2006/math", "m:"),
          Map.entry(STRICT + "officeDocument/math", "m:"),
          Map.entry(OOXML + "markup-compatibility/2006", "mc:"),
          Map.entry("urn:schemas-microsoft-com:vml", "v:"),
          Map.entry(ODF + "office:1.0", "office:"),
          Map.entry(ODF + "style:1.0", "style:"),
          Map.entry(ODF + "text:1.0", "text:"),
          Map.entry(ODF + "table:1.0", "table:"),
          Map.entry(ODF + "drawing:1.0", "draw:"),
          Map.entry(ODF + "svg-compatible:1.0", "svg:"),
          Map.entry(ODF + "manifest:1.0", "manifest:"));

  private int leftOut; // elements that are open within one that is left out

  /**
   * Begins an element.
   *
   * @return false to leave it out, with all that it contains
   */
  abstract boolean start(String name, Attributes attributes)
      throws IOException, ExtractionException;

  /** Ends an element that was not left out. */
  void end(String name) throws IOException, ExtractionException {}

  void text(String text) throws IOException, ExtractionException {}

  /** Ends the document. */
  void finish() throws IOException, ExtractionException {}

  /** Parses XML; entities are not resolved. */
  final void parse(InputStream xml) throws IOException, ExtractionException {
    try {
      XMLReader reader = XMLHelper.newXMLReader();
      reader.setContentHandler(this);
      reader.parse(new InputSource(xml));
    } catch (SAXException e) {
      switch (e.getException()) {
        case ExtractionException it -> throw it;
        case IOException it -> throw it;
        case null, default -> throw new IOException(e);
      }
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public final void startElement(
      String namespace, String local, String qualified, Attributes attributes) throws SAXException {
    if (leftOut > 0) {
      leftOut++;
      return;
    }
    handle(() -> leftOut += start(name(namespace, local), attributes) ? 0 : 1);
  }

  @Override
  public final void endElement(String namespace, String local, String qualified)
      throws SAXException {
    if (leftOut > 0) {
      leftOut--;
      return;
    }
    handle(() -> end(name(namespace, local)));
  }

  @Override
  public final void endDocument() throws SAXException {
    handle(this::finish);
  }

  @Override
  public final void characters(char[] chars, int start, int length) throws SAXException {
    if (leftOut == 0) {
      handle(() -> text(new String(chars, start, length)));
    }
  }

  /** A part of the file; where it is not as its format says, that is the file's fault. */
  private interface Event {
    void handle() throws IOException, ExtractionException;
  }

  private static void handle(Event event) throws SAXException {
    try {
      event.handle();
    } catch (NoSuchElementException | IndexOutOfBoundsException e) {
      throw new SAXException(new IOException(e));
    } catch (IOException | ExtractionException e) {
      throw new SAXException(e);
    }
  }

  /** Returns the value of an attribute by its name without prefix. */
  static @Nullable String value(Attributes attributes, String name) {
    for (int i = 0; i < attributes.getLength(); i++) {
      if (attributes.getLocalName(i).equals(name)) {
        return attributes.getValue(i);
      }
    }
    return null;
  }

  static String value(Attributes attributes, String name, String otherwise) {
    String value = value(attributes, name);
    return value == null ? otherwise : value;
  }

  /** Returns the id of another part. */
  static String reference(Attributes attributes, String name) {
    for (int i = 0; i < attributes.getLength(); i++) {
      if (attributes.getLocalName(i).equals(name)
          && attributes.getURI(i).endsWith("/relationships")) {
        return attributes.getValue(i);
      }
    }
    return "";
  }

  static int number(Attributes attributes, String name, int otherwise) {
    try {
      return Integer.parseInt(value(attributes, name, ""));
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  private static String name(String namespace, String local) {
    String prefix = PREFIXES.get(namespace);
    return prefix == null ? local : prefix + local;
  }
}
