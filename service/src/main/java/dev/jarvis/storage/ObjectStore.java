package dev.jarvis.storage;

import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/** Where documents lie: an S3 service, or a folder on the local disk. */
public interface ObjectStore extends AutoCloseable {
  /**
   * Opens the configured store; one that is away is no error, its bucket is made when it is there.
   *
   * @param home holds the local store in {@code objects}
   * @throws IOException if the local folder cannot be made
   * @throws IllegalArgumentException if the endpoint or the bucket's name cannot be used
   */
  static ObjectStore open(ObjectStoreConfig config, Path home, Telemetry telemetry)
      throws IOException {
    return config.endpoint() == null
        ? LocalObjectStore.open(home.resolve("objects").resolve(config.bucket()), telemetry)
        : S3ObjectStore.open(config, telemetry);
  }

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
