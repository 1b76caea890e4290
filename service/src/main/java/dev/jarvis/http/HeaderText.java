package dev.jarvis.http;

import java.nio.charset.StandardCharsets;

/** Text from outside, such as a model's name, as the value of a header. */
public final class HeaderText {
  private static final int MAX_BYTES = 512;

  private HeaderText() {}

  /**
   * Percent-encodes the UTF-8 bytes of a text that are not visible ASCII, and the percent sign (<a
   * href="https://www.rfc-editor.org/rfc/rfc3986#section-2.1">RFC 3986, section 2.1</a>), so that
   * no text can end a header, and each can be decoded. Of a longer text, the first 512 bytes.
   */
  public static String encode(String text) {
    StringBuilder encoded = new StringBuilder(text.length());
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < Math.min(bytes.length, MAX_BYTES); i++) {
      if (bytes[i] > ' ' && bytes[i] <= '~' && bytes[i] != '%') {
        encoded.append((char) bytes[i]);
      } else {
        encoded.append("%%%02X".formatted(bytes[i]));
      }
    }
    return encoded.toString();
  }
}
