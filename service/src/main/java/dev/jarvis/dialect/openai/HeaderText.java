package dev.jarvis.dialect.openai;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Texts, such as the names of models, as values of HTTP headers. */
final class HeaderText {
  private HeaderText() {}

  /**
   * The text with everything but printable ASCII percent-encoded in UTF-8, because a header has no
   * other characters (RFC 9110, section 5.5).
   */
  static String of(String text) {
    if (text.chars().allMatch(it -> it >= ' ' && it <= '~')) {
      return text;
    }
    StringBuilder encoded = new StringBuilder();
    for (byte it : text.getBytes(StandardCharsets.UTF_8)) {
      if (it >= ' ' && it <= '~') {
        encoded.append((char) it);
      } else {
        encoded.append(String.format(Locale.ROOT, "%%%02X", it));
      }
    }
    return encoded.toString();
  }
}
