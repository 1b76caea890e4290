package dev.jarvis.storage;

import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
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
        ? LocalObjectStore.open(home.resolve("objects").resolve(config.bucket()))
        : S3ObjectStore.open(config, telemetry);
  }

  /** Asks the store for its bucket, without a span; throws if it is not there. */
  void check() throws Exception;

  @Override
  void close() throws IOException;
}
