package dev.jarvis.document;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names of types that are refused, in words that people know. */
final class RefusedType {
  /** The type of a mailbox, which ordinary text may begin like. */
  private static final String MAILBOX = "application/mbox";

  /** Formats that are refused whatever the file's name is, some of which look like text. */
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("application/vnd.oasis.opendocument.spreadsheet", "a spreadsheet (.ods)"),
          Map.entry("application/vnd.oasis.opendocument.presentation", "a presentation (.odp)"),
          Map.entry("application/zip", "a ZIP archive; upload the files in it"),
          Map.entry("application/gzip", "a compressed file (.gz); upload what is in it"),
          Map.entry("application/x-bzip2", "a compressed file (.bz2); upload what is in it"),
          Map.entry("application/x-xz", "a compressed file (.xz); upload what is in it"),
          Map.entry("application/zstd", "a compressed file (.zst); upload what is in it"),
          Map.entry("application/x-7z-compressed", "a 7-Zip archive; upload the files in it"),
          Map.entry("application/x-rar-compressed", "a RAR archive; upload the files in it"),
          Map.entry("application/x-gtar", "a TAR archive; upload the files in it"),
          Map.entry("application/x-tar", "a TAR archive; upload the files in it"),
          Map.entry(MAILBOX, "a mailbox (mbox); upload each message as .eml"),
          Map.entry("application/x-sqlite3", "an SQLite database"),
          Map.entry("application/x-parquet", "a Parquet table; upload it as .csv"),
          Map.entry("application/postscript", "a PostScript document; upload it as .pdf"));

  private static final Map<String, String> OLD_OFFICE =
      Map.of(
          "doc", "an old Word document (.doc); save it as .docx",
          "xls", "an old Excel workbook (.xls); save it as .xlsx or .csv",
          "ppt", "an old PowerPoint presentation (.ppt); save it as .pptx",
          "msg", "an Outlook message (.msg); save it as .eml");

  private static final Map<String, String> KINDS =
      Map.of(
          "image", "an image", "audio", "a sound recording", "video", "a video", "font", "a font");

  private RefusedType() {}

  /** Whether a format is refused even if its bytes may be text. */
  static boolean isRefused(String type) {
    return NAMES.containsKey(type) && !isMailbox(type);
  }

  static boolean isMailbox(String type) {
    return type.equals(MAILBOX);
  }

  /** Whether a type is that of an image, a sound or a video; some begin with few bytes. */
  static boolean isMedia(String type) {
    return kind(type) != null;
  }

  /** Returns the name of a type, with what the user can do. */
  static String describe(String type, String extension) {
    String name = NAMES.get(type);
    if (name != null) {
      return name;
    }
    if (type.equals("application/x-tika-msoffice") || type.startsWith("application/vnd.ms-")) {
      return OLD_OFFICE.getOrDefault(
          extension,
          "encrypted or in an old format of Microsoft Office; save it without a password as .docx");
    }
    String kind = kind(type);
    return kind == null ? "neither text nor a known document" : kind;
  }

  private static @Nullable String kind(String type) {
    return KINDS.get(type.split("/", 2)[0]);
  }
}
