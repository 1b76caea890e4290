package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.poi.openxml4j.exceptions.InvalidFormatException;
import org.apache.poi.openxml4j.exceptions.OLE2NotOfficeXmlFileException;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.openxml4j.opc.PackageAccess;
import org.apache.poi.openxml4j.opc.PackagePart;
import org.apache.poi.openxml4j.opc.PackageRelationship;
import org.apache.poi.openxml4j.opc.PackageRelationshipTypes;
import org.apache.poi.openxml4j.opc.PackagingURIHelper;
import org.apache.poi.openxml4j.opc.TargetMode;
import org.jspecify.annotations.Nullable;

/** The parts of a DOCX, PPTX or XLSX file, opened with Apache POI. */
record OfficePackage(OPCPackage parts, PackagePart main) implements AutoCloseable {
  private static final String CONTENT = "application/vnd.openxmlformats-officedocument.";

  private interface Source {
    OPCPackage open() throws IOException, InvalidFormatException;
  }

  /**
   * Opens a file.
   *
   * @param kind the part of its main content type that names the kind, as a regular expression
   * @param name for the user
   */
  static OfficePackage open(Path file, String kind, String name)
      throws IOException, ExtractionException {
    return open(() -> OPCPackage.open(file.toFile(), PackageAccess.READ), kind, name);
  }

  /** Opens a file in another one; it is held in memory. */
  static OfficePackage open(InputStream in, String kind, String name)
      throws IOException, ExtractionException {
    return open(() -> OPCPackage.open(in), kind, name);
  }

  private static OfficePackage open(Source source, String kind, String name)
      throws IOException, ExtractionException {
    ZipLimits.set();
    OPCPackage parts;
    try {
      parts = source.open();
    } catch (OLE2NotOfficeXmlFileException e) {
      throw new ExtractionException(
          "encrypted",
          "The file is encrypted or in the old format of Office 97; upload it as %s without a password."
              .formatted(name));
    } catch (InvalidFormatException e) {
      throw ExtractionException.broken();
    }
    try {
      return new OfficePackage(parts, checked(parts, kind, name));
    } catch (InvalidFormatException e) {
      parts.revert();
      throw ExtractionException.broken();
    } catch (IOException | ExtractionException | RuntimeException e) {
      parts.revert();
      throw e;
    }
  }

  /** Checks the type by the content, because an extension does not determine it. */
  private static PackagePart checked(OPCPackage parts, String kind, String name)
      throws IOException, ExtractionException, InvalidFormatException {
    PackagePart main = null;
    for (String type :
        List.of(
            PackageRelationshipTypes.CORE_DOCUMENT,
            PackageRelationshipTypes.STRICT_CORE_DOCUMENT)) {
      for (PackagePart part : parts.getPartsByRelationshipType(type)) {
        main = part;
      }
    }
    String type = main == null ? "" : main.getContentType();
    if (type.contains("macroEnabled")
        || parts.getParts().stream().anyMatch(it -> it.getContentType().contains("vbaProject"))) {
      throw ExtractionException.macros();
    }
    if (main == null || !type.matches(CONTENT.replace(".", "\\.") + kind + "\\.main\\+xml")) {
      throw ExtractionException.wrongType(name);
    }
    return main;
  }

  /** Returns the part that a relationship names, or null if it is outside the file or missing. */
  static @Nullable PackagePart byId(PackagePart part, String id) {
    PackageRelationship to = part.getRelationship(id);
    return to == null ? null : target(part, to);
  }

  /** Returns the parts of one kind, such as {@code styles}, that a part names. */
  static List<PackagePart> ofKind(PackagePart part, String kind) throws IOException {
    List<PackagePart> found = new ArrayList<>();
    try {
      for (PackageRelationship to : part.getRelationships()) {
        PackagePart target =
            to.getRelationshipType().endsWith("/" + kind) ? target(part, to) : null;
        if (target != null) {
          found.add(target);
        }
      }
    } catch (InvalidFormatException e) {
      throw new IOException(e);
    }
    return found;
  }

  private static @Nullable PackagePart target(PackagePart part, PackageRelationship to) {
    if (to.getTargetMode() != TargetMode.INTERNAL) {
      return null;
    }
    try {
      return part.getPackage().getPart(PackagingURIHelper.createPartName(to.getTargetURI()));
    } catch (InvalidFormatException e) {
      return null;
    }
  }

  static void parse(PackagePart part, XmlHandler handler) throws IOException, ExtractionException {
    try (InputStream xml = part.getInputStream()) {
      handler.parse(xml);
    }
  }

  @Override
  public void close() {
    parts.revert(); // closes without writing
  }
}
