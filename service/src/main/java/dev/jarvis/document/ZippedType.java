package dev.jarvis.document;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Tells the formats apart that are ZIP archives, by the first files of the archive. */
final class ZippedType {
  private static final String OFFICE = "application/vnd.openxmlformats-officedocument.";

  /** The folder of the main part, by which the writers that end with the list of types are told. */
  private static final Map<String, String> FOLDERS =
      Map.of(
          "word/", OFFICE + "wordprocessingml.document",
          "xl/", OFFICE + "spreadsheetml.sheet",
          "ppt/", OFFICE + "presentationml.presentation");

  private static final Pattern MAIN_PART =
      Pattern.compile("(wordprocessingml|spreadsheetml|presentationml)[^\"]*\\.main\\+xml");

  private static final int MAX_TYPES_BYTES = 1 << 16;
  private static final int MAX_MIMETYPE_BYTES = 128;

  private ZippedType() {}

  /** Whether a type that Tika found is only that of the archive. */
  static boolean isContainer(String found) {
    return found.equals("application/zip") || found.equals("application/x-tika-ooxml");
  }

  /** Returns the type; empty if the first files do not tell it. */
  static Optional<String> of(byte[] head) {
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(head))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Optional<String> type = type(entry.getName(), zip);
        if (type.isPresent()) {
          return type;
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      // the head ends within the archive
    }
    return Optional.empty();
  }

  private static Optional<String> type(String name, ZipInputStream zip) throws IOException {
    if (name.equals("mimetype")) {
      return Optional.of(text(zip, MAX_MIMETYPE_BYTES).strip());
    }
    if (name.equals("[Content_Types].xml")) {
      Matcher main = MAIN_PART.matcher(text(zip, MAX_TYPES_BYTES));
      return main.find()
          ? FOLDERS.values().stream().filter(it -> it.contains(main.group(1))).findFirst()
          : Optional.empty();
    }
    return FOLDERS.entrySet().stream()
        .filter(it -> name.startsWith(it.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private static String text(ZipInputStream zip, int maxBytes) throws IOException {
    return new String(zip.readNBytes(maxBytes), StandardCharsets.UTF_8);
  }
}
