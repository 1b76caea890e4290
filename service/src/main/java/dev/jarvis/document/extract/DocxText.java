package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.poi.openxml4j.exceptions.InvalidFormatException;
import org.apache.poi.openxml4j.exceptions.OLE2NotOfficeXmlFileException;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.openxml4j.opc.PackageAccess;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.apache.poi.openxml4j.opc.PackageRelationshipTypes;
import org.apache.poi.openxml4j.util.ZipSecureFile;
import org.apache.poi.xwpf.extractor.XWPFWordExtractor;
import org.apache.poi.xwpf.usermodel.XWPFDocument;

/** Extracts the text of a Word document, with Apache POI. */
final class DocxText {
  private static final double MIN_INFLATE_RATIO = 0.005;
  private static final long MAX_ENTRY_BYTES = 256L << 20;
  private static final String DOCUMENT =
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";

  private DocxText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    ZipSecureFile.setMinInflateRatio(MIN_INFLATE_RATIO);
    ZipSecureFile.setMaxEntrySize(MAX_ENTRY_BYTES);
    try (OPCPackage parts = OPCPackage.open(file.toFile(), PackageAccess.READ)) {
      check(parts);
      try (XWPFDocument document = new XWPFDocument(parts);
          XWPFWordExtractor text = new XWPFWordExtractor(document)) {
        writer.add(text.getText());
      }
    } catch (OLE2NotOfficeXmlFileException e) {
      throw new ExtractionException(
          "encrypted",
          "The file is encrypted or in the old .doc format; upload it as .docx without a password.");
    } catch (InvalidFormatException e) {
      throw new ExtractionException("broken_file", "The file is damaged and cannot be read.");
    } catch (IOException | RuntimeException e) {
      if (bomb(e)) {
        throw new ExtractionException(
            "expands_too_much", "The file expands to more data than allowed.");
      }
      throw e;
    }
  }

  /** Checks the type by the content, because an extension does not determine it. */
  private static void check(OPCPackage parts) throws InvalidFormatException, ExtractionException {
    String main = "";
    for (PackagePart part :
        parts.getPartsByRelationshipType(PackageRelationshipTypes.CORE_DOCUMENT)) {
      main = part.getContentType();
    }
    if (main.contains("macroEnabled")
        || parts.getParts().stream().anyMatch(it -> it.getContentType().contains("vbaProject"))) {
      throw new ExtractionException("macros", "The file contains macros; upload it without them.");
    }
    if (!main.equals(DOCUMENT)) {
      throw new ExtractionException("wrong_type", "The file is not a Word document (.docx).");
    }
  }

  private static boolean bomb(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (String.valueOf(e.getMessage()).contains("Zip bomb")) {
        return true;
      }
    }
    return false;
  }
}
