package dev.jarvis.storage;

import java.io.IOException;
import java.io.InputStream;

/** Where documents lie: an S3 service, or a folder on the local disk. */
public interface ObjectStore extends AutoCloseable {
  /**
   * Stores what a stream holds, of any length, a few MiB of it in memory at a time. Nobody sees the
   * object before it is whole.
   *
   * @param key letters, digits, {@code -} and {@code /}
   * @throws IOException if the store fails, or the stream does
   */
  void put(String key, InputStream content) throws IOException;

  /**
   * An object's bytes; to be closed.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws IOException if the store fails; the stream may throw it too
   */
  InputStream get(String key) throws IOException;

  /**
   * Deletes an object; one that is not there is deleted already.
   *
   * @throws IOException if the store fails
   */
  void delete(String key) throws IOException;

  /** Asks the store for its bucket, without a span; throws if it is not there. */
  void check() throws Exception;

  @Override
  void close() throws IOException;
}
