package dev.jarvis.http.connection;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Checks that the chunks of a body strictly follow <a
 * href="https://www.rfc-editor.org/rfc/rfc9112#section-7.1">RFC 9112, section 7.1</a>, and takes
 * out their extensions and trailers, which a server must ignore and may discard. The server's own
 * parser accepts neither; but it accepts {@code +2} as a size and any two bytes as the end of a
 * chunk, where another parser would see other chunks. What is left has one reading only.
 */
final class ChunkedFraming {
  private static final int MAX_SIZE_DIGITS = 8;

  /** Most bytes of a body that are taken out: their sender gets no work done for them. */
  private static final int MAX_DISCARDED_BYTES = 16 << 10;

  /** What the next byte must be part of. */
  private enum Next {
    SIZE,
    EXTENSION_BEGIN,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    END,
    END_LF,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    ANOTHER_REQUEST,
    MALFORMED
  }

  private Next next = Next.SIZE;
  private int digits;
  private long left;
  private int discarded;

  /**
   * The next bytes of the body, and of what follows it, without extensions and trailers.
   *
   * @param bytes are overwritten
   * @return null if they are malformed
   */
  byte @Nullable [] canonical(byte[] bytes) {
    int at = 0;
    int kept = 0;
    while (at < bytes.length && next != Next.ANOTHER_REQUEST) {
      if (next == Next.DATA) {
        int data = (int) Math.min(left, bytes.length - at);
        System.arraycopy(bytes, at, bytes, kept, data);
        at += data;
        kept += data;
        left -= data;
        next = left == 0 ? Next.DATA_CR : Next.DATA;
        continue;
      }
      byte read = bytes[at++];
      Next before = next;
      next = after(read);
      if (next == Next.MALFORMED) {
        return null;
      }
      if (!isDiscarded(before, next)) {
        bytes[kept++] = read;
      } else if (++discarded > MAX_DISCARDED_BYTES) {
        next = Next.MALFORMED;
        return null;
      }
    }
    System.arraycopy(bytes, at, bytes, kept, bytes.length - at);
    kept += bytes.length - at;
    return kept == bytes.length ? bytes : Arrays.copyOf(bytes, kept);
  }

  private static boolean isDiscarded(Next before, Next after) {
    return switch (after) {
      case EXTENSION_BEGIN, EXTENSION, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF -> true;
      default -> before == Next.TRAILER_LF;
    };
  }

  private Next after(byte read) {
    return switch (next) {
      case SIZE -> size(read);
      case EXTENSION_BEGIN -> isBlank(read) ? next : read == ';' ? Next.EXTENSION : Next.MALFORMED;
      case EXTENSION -> read == '\r' ? Next.SIZE_LF : isText(read) ? next : Next.MALFORMED;
      case SIZE_LF -> read != '\n' ? Next.MALFORMED : left == 0 ? Next.END : Next.DATA;
      case DATA_CR -> read == '\r' ? Next.DATA_LF : Next.MALFORMED;
      case DATA_LF -> read == '\n' ? beginSize() : Next.MALFORMED;
      case END -> read == '\r' ? Next.END_LF : isToken(read) ? Next.TRAILER_NAME : Next.MALFORMED;
      case END_LF -> read == '\n' ? Next.ANOTHER_REQUEST : Next.MALFORMED;
      case TRAILER_NAME -> read == ':' ? Next.TRAILER_VALUE : isToken(read) ? next : Next.MALFORMED;
      case TRAILER_VALUE -> read == '\r' ? Next.TRAILER_LF : isText(read) ? next : Next.MALFORMED;
      case TRAILER_LF -> read == '\n' ? Next.END : Next.MALFORMED;
      case DATA, ANOTHER_REQUEST, MALFORMED -> next;
    };
  }

  private Next beginSize() {
    digits = 0;
    return Next.SIZE;
  }

  private Next size(byte read) {
    if (digits > 0) {
      if (read == '\r') {
        return Next.SIZE_LF;
      }
      if (read == ';' || isBlank(read)) {
        return read == ';' ? Next.EXTENSION : Next.EXTENSION_BEGIN;
      }
    }
    int value = Character.digit(read, 16);
    left = left * 16 + value;
    boolean fits = ++digits <= MAX_SIZE_DIGITS && left <= Integer.MAX_VALUE;
    return value >= 0 && fits ? Next.SIZE : Next.MALFORMED;
  }

  private static boolean isBlank(byte read) {
    return read == ' ' || read == '\t';
  }

  /** Visible ASCII and blanks; a lone line feed, in particular, would end a line for others. */
  private static boolean isText(byte read) {
    return (read >= ' ' && read <= '~') || read == '\t';
  }

  private static boolean isToken(byte read) {
    return (read >= '0' && read <= '9')
        || (read >= 'A' && read <= 'Z')
        || (read >= 'a' && read <= 'z')
        || (read > 0 && "!#$%&'*+-.^_`|~".indexOf(read) >= 0);
  }
}
