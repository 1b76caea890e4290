package dev.jarvis.http.connection;

/**
 * Checks that the chunks of a body strictly follow <a
 * href="https://www.rfc-editor.org/rfc/rfc9112#section-7.1">RFC 9112, section 7.1</a>, without
 * extensions and trailers, which the server refuses too. The server's own parser accepts {@code +2}
 * as a size and any two bytes as the end of a chunk, where another parser would see other chunks.
 */
final class ChunkedFraming {
  private static final int MAX_SIZE_DIGITS = 8;

  /** What the next byte must be part of. */
  private enum Next {
    SIZE,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    END_CR,
    END_LF,
    ANOTHER_REQUEST,
    MALFORMED
  }

  private Next next = Next.SIZE;
  private int digits;
  private long left;

  /** Whether the body is well-formed up to the end of these bytes. */
  boolean accepts(byte[] bytes) {
    int at = 0;
    while (at < bytes.length && next != Next.ANOTHER_REQUEST && next != Next.MALFORMED) {
      if (next == Next.DATA) {
        int data = (int) Math.min(left, bytes.length - at);
        at += data;
        left -= data;
        next = left == 0 ? Next.DATA_CR : Next.DATA;
      } else {
        next = after(bytes[at++]);
      }
    }
    return next != Next.MALFORMED;
  }

  private Next after(byte read) {
    return switch (next) {
      case SIZE -> size(read);
      case SIZE_LF -> read != '\n' ? Next.MALFORMED : left == 0 ? Next.END_CR : Next.DATA;
      case DATA_CR -> read == '\r' ? Next.DATA_LF : Next.MALFORMED;
      case DATA_LF -> read == '\n' ? beginSize() : Next.MALFORMED;
      case END_CR -> read == '\r' ? Next.END_LF : Next.MALFORMED;
      case END_LF -> read == '\n' ? Next.ANOTHER_REQUEST : Next.MALFORMED;
      case DATA, ANOTHER_REQUEST, MALFORMED -> next;
    };
  }

  private Next beginSize() {
    digits = 0;
    return Next.SIZE;
  }

  private Next size(byte read) {
    if (read == '\r' && digits > 0) {
      return Next.SIZE_LF;
    }
    int value = Character.digit(read, 16);
    left = left * 16 + value;
    boolean fits = ++digits <= MAX_SIZE_DIGITS && left <= Integer.MAX_VALUE;
    return value >= 0 && fits ? Next.SIZE : Next.MALFORMED;
  }
}
