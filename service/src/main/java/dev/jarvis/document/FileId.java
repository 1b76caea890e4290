package dev.jarvis.document;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** File ids in OpenAI's form: {@code file-} and 32 hexadecimal digits. */
public final class FileId {
  private static final Pattern FORM = Pattern.compile("file-[0-9a-f]{32}");

  private FileId() {}

  public static String of(UUID id) {
    return "file-" + id.toString().replace("-", "");
  }

  /** Returns the document's id; empty if the text does not have the form. */
  static Optional<UUID> parse(String text) {
    if (!FORM.matcher(text).matches()) {
      return Optional.empty();
    }
    return Optional.of(
        new UUID(
            Long.parseUnsignedLong(text, 5, 21, 16), Long.parseUnsignedLong(text, 21, 37, 16)));
  }
}
