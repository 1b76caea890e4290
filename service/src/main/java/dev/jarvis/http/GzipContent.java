package dev.jarvis.http;

import dev.jarvis.error.ApiException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The content of gzip members, one after another (<a
 * href="https://www.rfc-editor.org/rfc/rfc1952">RFC 1952</a>). Reads its source to the end. Unlike
 * the JDK's stream, it refuses bytes that are no member, finds a further member however the bytes
 * arrive, and does not recurse for empty ones.
 */
final class GzipContent extends InputStream {
  private static final int BUFFER_BYTES = 8 << 10;

  private static final int DEFLATE = 8;

  // flags of a member's header
  private static final int HEADER_CRC = 2;
  private static final int EXTRA = 4;
  private static final int NAME = 8;
  private static final int COMMENT = 16;
  private static final int RESERVED = 0xe0;

  private final InputStream source;
  private final long maxBytes;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int at;
  private int end;

  private final Inflater inflater = new Inflater(true);
  private final CRC32 checksum = new CRC32();
  private boolean inMember;
  private boolean anyMember;
  private long total;

  /**
   * @param maxBytes the maximum size of the content
   */
  GzipContent(InputStream source, long maxBytes) {
    this.source = source;
    this.maxBytes = maxBytes;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  /**
   * @throws ApiException.InvalidRequest if the source is not gzip, or is damaged
   * @throws ApiException.BodyTooLarge if the content is larger than allowed
   */
  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (true) {
      if (!inMember && !beginMember()) {
        return -1;
      }
      int read = inflate(bytes, offset, length);
      if (read > 0) {
        checksum.update(bytes, offset, read);
        total += read;
        if (total > maxBytes) {
          throw new ApiException.BodyTooLarge(
              "The decompressed body is too large; the maximum is %d bytes.".formatted(maxBytes));
        }
        return read;
      }
      if (inflater.finished()) {
        endMember();
      } else if (inflater.needsDictionary()) {
        throw damaged();
      } else if (inflater.needsInput()) {
        if (at == end) {
          fill();
        }
        inflater.setInput(buffer, at, end - at);
        at = end;
      }
    }
  }

  /** Releases the memory of the decompressor; the source stays open. */
  @Override
  public void close() {
    inflater.end();
  }

  private int inflate(byte[] bytes, int offset, int length) {
    try {
      return inflater.inflate(bytes, offset, length);
    } catch (DataFormatException e) {
      throw damaged();
    }
  }

  /** Reads a header; false at the end of the source. */
  private boolean beginMember() throws IOException {
    if (at == end && !more()) {
      if (!anyMember) {
        throw damaged(); // not even an empty member
      }
      return false;
    }
    if (next() != 0x1f || next() != 0x8b) {
      throw anyMember ? invalid("has bytes after the end of the compressed data") : damaged();
    }
    int method = next();
    int flags = next();
    if (method != DEFLATE || (flags & RESERVED) != 0) {
      throw damaged();
    }
    skip(6); // time, extra flags, operating system
    if ((flags & EXTRA) != 0) {
      skip(next() | next() << 8);
    }
    for (int text = flags & (NAME | COMMENT); text != 0; text &= text - 1) {
      while (next() != 0) {
        // a name or a comment ends in a NUL
      }
    }
    if ((flags & HEADER_CRC) != 0) {
      skip(2);
    }
    inflater.reset();
    checksum.reset();
    inMember = true;
    anyMember = true;
    return true;
  }

  private void endMember() throws IOException {
    at = end - inflater.getRemaining();
    long length = inflater.getBytesWritten() & 0xffffffffL;
    if (number() != checksum.getValue() || number() != length) {
      throw damaged();
    }
    inMember = false;
  }

  private long number() throws IOException {
    return next() | next() << 8 | next() << 16 | (long) next() << 24;
  }

  private void skip(int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      next();
    }
  }

  private int next() throws IOException {
    if (at == end) {
      fill();
    }
    return buffer[at++] & 0xff;
  }

  private void fill() throws IOException {
    if (!more()) {
      throw invalid("ends too early");
    }
  }

  private boolean more() throws IOException {
    at = 0;
    end = Math.max(source.read(buffer), 0);
    return end > 0;
  }

  private static ApiException damaged() {
    return invalid("is damaged, or is not gzip");
  }

  private static ApiException invalid(String what) {
    return new ApiException.InvalidRequest(
        "The body has Content-Encoding gzip, but " + what + ".", null, "invalid_content_encoding");
  }
}
