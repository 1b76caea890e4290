package dev.jarvis.document;

import dev.jarvis.document.extract.MediaType;
import dev.jarvis.document.extract.TextDecoder;
import dev.jarvis.error.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.tika.Tika;

/**
 * Detects the type of a file: its first bytes tell whether it is text and which binary format it
 * is; its name tells the kinds of text apart.
 */
final class FileType {
  /** How many of the first bytes are examined. */
  static final int HEAD_BYTES = 1 << 16;

  private static final Tika TIKA = new Tika();

  /** How pages begin, after comments and an XML declaration. */
  private static final Pattern PAGE =
      Pattern.compile(
          "\\A\ufeff?\\s*+(?:<\\?xml[^>]{0,200}>\\s*+)?(?:(?><!--(?s:.){0,2000}?-->)\\s*+){0,3}+"
              + "<(?:!doctype html|html|head|body)\\b",
          Pattern.CASE_INSENSITIVE);

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
    String extension = extension(filename);
    Optional<MediaType> named = MediaType.ofExtension(extension);
    String found = content(head);
    Optional<MediaType> binary = MediaType.of(found).filter(it -> !it.isText());
    if (binary.isPresent()) {
      return binary.get();
    }
    if (ZippedType.isContainer(found) && named.isPresent() && !named.get().isText()) {
      return named.get(); // what tells the formats apart comes later; extraction checks it
    }
    boolean media = RefusedType.isMedia(found) && !TextDecoder.isUtf8(head);
    if (media || RefusedType.isRefused(found) || !TextDecoder.isText(head)) {
      throw refused(found, extension);
    }
    return named.filter(MediaType::isText).orElseGet(() -> textType(head, found, extension));
  }

  private static String content(byte[] head) {
    String found = TIKA.detect(head);
    return ZippedType.isContainer(found) ? ZippedType.of(head).orElse(found) : found;
  }

  /** Returns the type of a text whose name does not tell it. */
  private static MediaType textType(byte[] head, String found, String extension) {
    if (RefusedType.isMailbox(found) && (extension.isEmpty() || extension.equals("mbox"))) {
      throw refused(found, extension);
    }
    String text = new String(head, StandardCharsets.UTF_8);
    if (PAGE.matcher(text).find()) {
      return MediaType.HTML;
    }
    return MediaType.of(found)
        .filter(it -> it.isText() && it != MediaType.HTML && extension.isEmpty())
        .orElse(MediaType.TEXT);
  }

  private static String extension(String filename) {
    int dot = filename.lastIndexOf('.');
    return dot < 0 ? "" : filename.substring(dot + 1).toLowerCase(Locale.ROOT);
  }

  private static ApiException refused(String found, String extension) {
    return new ApiException.InvalidRequest(
        "The file is %s. Allowed are %s and other text."
            .formatted(
                RefusedType.describe(found, extension),
                Arrays.stream(MediaType.values())
                    .filter(it -> it != MediaType.CODE)
                    .map(it -> "." + it.extensions().getFirst())
                    .collect(Collectors.joining(", "))),
        "file",
        "unsupported_media_type");
  }
}
