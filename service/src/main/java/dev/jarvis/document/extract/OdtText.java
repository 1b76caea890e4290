package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.xml.sax.Attributes;

/**
 * Extracts the text of an OpenDocument text as it is printed, without what tracked changes deleted
 * and without comments. Headers and footers follow the text, each once.
 */
final class OdtText {
  private static final String TYPE = "application/vnd.oasis.opendocument.text";
  private static final List<String> TYPES = List.of(TYPE, TYPE + "-template");

  private OdtText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    try (ZipPackage zip = ZipPackage.open(file, TYPES, "OpenDocument text (.odt)")) {
      zip.parse("META-INF/manifest.xml", new Manifest());
      // the index of an empty library is no macro
      if (zip.names().stream()
          .anyMatch(
              it ->
                  it.matches("Scripts/.*[^/]|Basic/.*/(?!script-lb\\.xml|dialog-lb\\.xml)[^/]+"))) {
        throw ExtractionException.macros();
      }
      OdtStyles styles = new OdtStyles();
      zip.parse("styles.xml", styles);
      zip.parse("content.xml", styles);
      TextLayout layout = new TextLayout(writer);
      zip.parse("content.xml", new OdtHandler(zip, layout, styles, null));
      Set<String> shown = new LinkedHashSet<>();
      zip.parse("styles.xml", new OdtHandler(zip, layout, styles, shown));
      layout.marginals(shown);
      layout.end();
    }
  }

  /** Refuses encrypted files. */
  private static final class Manifest extends XmlHandler {
    @Override
    boolean start(String name, Attributes attributes) throws ExtractionException {
      if (name.equals("manifest:encryption-data")) {
        throw ExtractionException.encrypted();
      }
      return true;
    }
  }
}
