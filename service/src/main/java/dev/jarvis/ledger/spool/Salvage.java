package dev.jarvis.ledger.spool;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the disk returns of a file: a bad sector costs its own records only.
 *
 * @param bytes zero where the disk returned nothing
 * @param whole whether the disk returned all
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record Salvage(byte[] bytes, boolean whole) {
  private static final Logger LOG = LoggerFactory.getLogger(Salvage.class);
  private static final int BLOCK = 4 << 10;

  /**
   * Reads as {@link SpoolFiles#read}, block by block if that fails.
   *
   * @throws IOException if the file cannot be opened
   */
  static Salvage read(SpoolFiles files, Path file, long offset, int length) throws IOException {
    try {
      return new Salvage(files.read(file, offset, length), true);
    } catch (FileNotFoundException | FileSystemException e) { // also without the right to read it
      throw new IOException(
          "The file %s of the ledger's spool cannot be opened: %s".formatted(file, e.getMessage()),
          e);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("file", file)
          .setCause(e)
          .log("a file of the spool is unreadable; its blocks are read one by one");
    }
    byte[] bytes = new byte[Math.clamp(Files.size(file) - offset, 0, length)];
    boolean whole = true;
    for (int at = 0; at < bytes.length; ) {
      int size = Math.min(BLOCK - (int) ((offset + at) % BLOCK), bytes.length - at);
      try {
        byte[] block = files.read(file, offset + at, size);
        System.arraycopy(block, 0, bytes, at, block.length);
      } catch (IOException e) {
        whole = false;
      }
      at += size;
    }
    return new Salvage(bytes, whole);
  }
}
