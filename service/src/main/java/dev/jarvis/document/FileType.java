package dev.jarvis.document;

import dev.jarvis.document.extract.MediaType;
import dev.jarvis.error.ApiException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.tika.Tika;
import org.apache.tika.mime.MediaTypeRegistry;

/**
 * Detects the type of a file from its first bytes; the extension only distinguishes text formats.
 */
final class FileType {
  /** How many of them detection needs. */
  static final int HEAD_BYTES = 16_384;

  private static final Tika TIKA = new Tika();
  private static final MediaTypeRegistry TYPES = MediaTypeRegistry.getDefaultRegistry();

  private FileType() {}

  /**
   * Returns the type of a file.
   *
   * @throws ApiException.InvalidRequest if it is empty or its type is not supported
   */
  static MediaType detect(byte[] head, String filename) {
    if (head.length == 0) {
      throw new ApiException.InvalidRequest("The file is empty.", "file", "empty_file");
    }
    String found = TIKA.detect(head);
    String name = filename.toLowerCase(Locale.ROOT);
    return switch (found) {
      case "application/pdf" -> MediaType.PDF;
      case "text/html", "application/xhtml+xml" -> MediaType.HTML;
      // extraction checks what the archive contains
      case "application/zip",
          "application/x-tika-ooxml",
          "application/vnd.openxmlformats-officedocument.wordprocessingml.document" -> {
        if (name.endsWith(".docx")) {
          yield MediaType.DOCX;
        }
        if (name.endsWith(".xlsx")) {
          yield MediaType.XLSX;
        }
        if (name.endsWith(".pptx")) {
          yield MediaType.PPTX;
        }
        throw refused(found);
      }
      case "application/vnd.oasis.opendocument.text" -> MediaType.ODT;
      case "application/rtf" -> MediaType.RTF;
      case "application/epub+zip" -> MediaType.EPUB;
      default -> {
        if (!found.startsWith("text/") && !(isNamedText(name) && isText(found))) {
          throw refused(found);
        }
        yield name.endsWith(".md") || name.endsWith(".markdown")
            ? MediaType.MARKDOWN
            : name.endsWith(".html") || name.endsWith(".htm") ? MediaType.HTML : MediaType.TEXT;
      }
    };
  }

  private static boolean isNamedText(String name) {
    return name.endsWith(".txt") || name.endsWith(".md") || name.endsWith(".markdown");
  }

  /** Whether Tika derives the type from plain text, as those of scripts and e-mails. */
  private static boolean isText(String found) {
    return TYPES.isInstanceOf(found, org.apache.tika.mime.MediaType.TEXT_PLAIN)
        && !found.equals("application/rtf");
  }

  private static ApiException refused(String found) {
    return new ApiException.InvalidRequest(
        "The file's content is of type %s; allowed are %s."
            .formatted(
                found,
                Arrays.stream(MediaType.values())
                    .map(MediaType::id)
                    .collect(Collectors.joining(", "))),
        "file",
        "unsupported_media_type");
  }
}
