package dev.jarvis.document;

import dev.jarvis.error.ApiException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Counts, hashes and limits the bytes of a file while they are read. Keeps the original exception,
 * because the object store's client may wrap it.
 */
final class UploadedBytes extends InputStream {
  private final InputStream in;
  private final long limit;
  private final MessageDigest digest;
  private long count;
  private @Nullable Exception failure;

  UploadedBytes(InputStream in, long limit) {
    this.in = in;
    this.limit = limit;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }

  /** Returns what was read; to be called once, at the end. */
  FileStore.Content content() {
    return new FileStore.Content(count, HexFormat.of().formatHex(digest.digest()));
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
            "The file is too large; the maximum is %d bytes.".formatted(limit));
      }
      return read;
    } catch (IOException | RuntimeException e) {
      failure = e;
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
