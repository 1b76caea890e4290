package dev.jarvis.document.extract;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Recognises Unicode's encodings: by their mark, by their NUL bytes, and UTF-8 that is damaged. */
final class UnicodeText {
  private static final Charset UTF_32LE = Charset.forName("UTF-32LE");
  private static final Charset UTF_32BE = Charset.forName("UTF-32BE");

  /** A byte in so many that are not UTF-8 is damage; more of them are another encoding. */
  private static final int GOOD_PER_BAD = 3;

  private UnicodeText() {}

  private record Mark(Charset charset, List<Integer> bytes) {
    boolean begins(byte[] text) {
      if (text.length < bytes.size()) {
        return false;
      }
      for (int i = 0; i < bytes.size(); i++) {
        if ((text[i] & 0xff) != bytes.get(i)) {
          return false;
        }
      }
      return true;
    }
  }

  /** The longer ones first: that of UTF-32LE begins as that of UTF-16LE. */
  private static final List<Mark> MARKS =
      List.of(
          new Mark(UTF_32LE, List.of(0xff, 0xfe, 0, 0)),
          new Mark(UTF_32BE, List.of(0, 0, 0xfe, 0xff)),
          new Mark(StandardCharsets.UTF_8, List.of(0xef, 0xbb, 0xbf)),
          new Mark(StandardCharsets.UTF_16LE, List.of(0xff, 0xfe)),
          new Mark(StandardCharsets.UTF_16BE, List.of(0xfe, 0xff)));

  /** Decodes a text that begins with a byte order mark. */
  static Optional<Decoded> byMark(byte[] bytes) {
    return MARKS.stream()
        .filter(it -> it.begins(bytes))
        .findFirst()
        .map(
            mark -> {
              int length = mark.bytes.size();
              String text = new String(bytes, length, bytes.length - length, mark.charset);
              return TextDecoder.decoded(text, mark.charset, text.indexOf('\ufffd') < 0);
            });
  }

  /** Decodes UTF-16 and UTF-32 without a mark, in which spaces and line feeds have NUL bytes. */
  static Optional<Decoded> byNuls(byte[] bytes) {
    int[] nuls = new int[4];
    for (int i = 0; i < bytes.length; i++) {
      nuls[i % 4] += bytes[i] == 0 ? 1 : 0;
    }
    int even = nuls[0] + nuls[2];
    int odd = nuls[1] + nuls[3];
    if (even + odd == 0) {
      return Optional.empty();
    }
    List<Charset> order =
        odd >= even
            ? List.of(UTF_32LE, UTF_32BE, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)
            : List.of(UTF_32BE, UTF_32LE, StandardCharsets.UTF_16BE, StandardCharsets.UTF_16LE);
    for (Charset charset : order) {
      String text = TextDecoder.strict(bytes, charset);
      if (text != null && isText(text) && explains(text, charset, even + odd)) {
        return Optional.of(TextDecoder.decoded(text, charset, false));
      }
    }
    return Optional.empty();
  }

  /** Whether most NUL bytes are those of ASCII; a few end characters such as U+4E00. */
  private static boolean explains(String text, Charset charset, int nuls) {
    long small = text.codePoints().filter(it -> it < 0x100).count();
    return charset.name().startsWith("UTF-32")
        || (small > 0 && nuls - small <= small + text.length() / 10);
  }

  private static boolean isText(String text) {
    return text.codePoints().allMatch(UnicodeText::isText);
  }

  private static boolean isText(int c) {
    return switch (Character.getType(c)) {
      case Character.UNASSIGNED, Character.PRIVATE_USE, Character.SURROGATE -> false;
      case Character.CONTROL -> c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == 0x1b;
      default -> true;
    };
  }

  /** Returns whether a text is UTF-8 except for single bytes. */
  static boolean isDamagedUtf8(byte[] bytes) {
    int good = 0;
    int bad = 0;
    int i = 0;
    while (i < bytes.length) {
      int length = sequence(bytes, i);
      if (length == 0) {
        bad++;
      } else if (length > 1) {
        good++;
      }
      i += Math.max(1, length);
    }
    return good > 0 && bad * GOOD_PER_BAD <= good;
  }

  /** Returns the length of the sequence at an index; 0 if there is none. */
  private static int sequence(byte[] bytes, int at) {
    int first = bytes[at] & 0xff;
    int length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || at + length > bytes.length) {
      return 0;
    }
    for (int i = 1; i < length; i++) {
      if ((bytes[at + i] & 0xc0) != 0x80) {
        return 0;
      }
    }
    return length;
  }
}
