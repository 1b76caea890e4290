package dev.jarvis.provider;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** Decompresses a body; does not wait for its first bytes before it is read. */
final class GzipStream extends FilterInputStream {
  private @Nullable GZIPInputStream decompressed;

  GzipStream(InputStream in) {
    super(in);
  }

  private InputStream decompressed() throws IOException {
    if (decompressed == null) {
      decompressed = new GZIPInputStream(in);
    }
    return decompressed;
  }

  @Override
  public int read() throws IOException {
    return decompressed().read();
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    return decompressed().read(bytes, offset, length);
  }
}
