package dev.jarvis.document;

import dev.jarvis.error.ApiException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A file's bytes as they come in: counted, hashed and limited. Remembers why it failed, for who
 * reads it may say so in words of its own.
 */
final class UploadedBytes extends FilterInputStream {
  private final long limit;
  private final MessageDigest digest;
  private long count;
  private @Nullable Exception failure;

  UploadedBytes(InputStream in, long limit) {
    super(in);
    this.limit = limit;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }

  long count() {
    return count;
  }

  /** In lower-case hex; to be asked once. */
  String sha256() {
    return HexFormat.of().formatHex(digest.digest());
  }

  @Nullable Exception failure() {
    return failure;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    try {
      int read = in.read(bytes, offset, length);
      if (read > 0) {
        count += read;
        digest.update(bytes, offset, read);
      }
      if (count > limit) {
        throw new ApiException.BodyTooLarge(
            "The file is larger than the %d bytes that are allowed.".formatted(limit));
      }
      return read;
    } catch (IOException | RuntimeException e) {
      failure = e;
      throw e;
    }
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
