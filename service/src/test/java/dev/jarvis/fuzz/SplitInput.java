package dev.jarvis.fuzz;

import java.io.ByteArrayInputStream;
import java.util.function.IntSupplier;

/** Returns its bytes in pieces, as a network does. */
public final class SplitInput extends ByteArrayInputStream {
  private final IntSupplier size;

  /**
   * @param size of the next piece, at least 1
   */
  public SplitInput(byte[] bytes, IntSupplier size) {
    super(bytes);
    this.size = size;
  }

  @Override
  public synchronized int read(byte[] into, int offset, int length) {
    return super.read(into, offset, Math.min(length, Math.max(1, size.getAsInt())));
  }

  @Override
  public int available() {
    return 0;
  }
}
