package dev.jarvis.document.extract;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.poi.openxml4j.util.ZipSecureFile;
import org.jspecify.annotations.Nullable;

/** A zip archive whose first entry, {@code mimetype}, names its type: an ODT or EPUB file. */
record ZipPackage(ZipSecureFile zip) implements AutoCloseable {
  private static final int MAX_TYPE_BYTES = 200;

  /**
   * Opens a file.
   *
   * @param types those allowed
   * @param name for the user
   */
  static ZipPackage open(Path file, List<String> types, String name)
      throws IOException, ExtractionException {
    ZipLimits.set();
    ZipSecureFile zip;
    try {
      zip = new ZipSecureFile(file.toFile());
    } catch (ZipException e) {
      throw new IOException(e);
    }
    ZipPackage opened = new ZipPackage(zip);
    try {
      if (!types.contains(opened.type())) {
        throw ExtractionException.wrongType(name);
      }
      return opened;
    } catch (IOException | ExtractionException | RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  private String type() throws IOException {
    try (InputStream in = read("mimetype")) {
      return in == null
          ? ""
          : new String(in.readNBytes(MAX_TYPE_BYTES), StandardCharsets.US_ASCII).strip();
    }
  }

  /** Returns the content of an entry, or null if there is none. */
  @Nullable InputStream read(String entry) throws IOException {
    ZipArchiveEntry found = zip.getEntry(entry);
    return found == null ? null : zip.getInputStream(found);
  }

  List<String> names() {
    return Collections.list(zip.getEntries()).stream().map(ZipArchiveEntry::getName).toList();
  }

  void parse(String entry, XmlHandler handler) throws IOException, ExtractionException {
    try (InputStream xml = read(entry)) {
      if (xml != null) {
        handler.parse(xml);
      }
    }
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
