package dev.jarvis.storage;

import java.io.IOException;
import java.io.InputStream;

/** Stores files: in an S3 service, or in a folder on the local disk. */
public interface ObjectStore extends AutoCloseable {
  /**
   * Stores a stream of any length, a few MiB of it in memory at a time. The object does not exist
   * before it is complete.
   *
   * @param key of letters, digits, {@code -} and {@code /}
   * @throws IOException if the store fails, or the stream does
   */
  void put(String key, InputStream content) throws IOException;

  /**
   * Opens an object; the caller closes the stream.
   *
   * @throws java.nio.file.NoSuchFileException if it does not exist
   * @throws IOException if the store fails; the stream may throw it too
   */
  InputStream get(String key) throws IOException;

  /**
   * Deletes an object if it exists.
   *
   * @throws IOException if the store fails
   */
  void delete(String key) throws IOException;

  /** Checks that the bucket exists, without a span; throws if it does not. */
  void check() throws Exception;

  @Override
  void close() throws IOException;
}
