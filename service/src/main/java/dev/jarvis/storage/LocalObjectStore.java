package dev.jarvis.storage;

import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.ClientOperation.Target;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A bucket as a folder. */
final class LocalObjectStore implements ObjectStore {
  private final Path bucket;
  private final Telemetry telemetry;

  private LocalObjectStore(Path bucket, Telemetry telemetry) {
    this.bucket = bucket;
    this.telemetry = telemetry;
  }

  static LocalObjectStore open(Path bucket, Telemetry telemetry) throws IOException {
    ServerFolder.makePrivate(bucket);
    return new LocalObjectStore(bucket, telemetry);
  }

  private interface Call<T> {
    T make() throws IOException;
  }

  private <T> T traced(String name, Call<T> call) throws IOException {
    ClientOperation operation = telemetry.operation(Target.OBJECT_STORE, name);
    try {
      T result = call.make();
      operation.end();
      return result;
    } catch (IOException | RuntimeException e) {
      operation.end(e);
      throw e;
    }
  }

  @Override
  public void put(String key, InputStream content) throws IOException {
    traced(
        "PutObject",
        () -> {
          Path file = file(key);
          Files.createDirectories(file.getParent());
          Path part = Files.createTempFile(file.getParent(), ".", ".part");
          try {
            Files.copy(content, part, StandardCopyOption.REPLACE_EXISTING);
            return Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
          } finally {
            Files.deleteIfExists(part);
          }
        });
  }

  @Override
  public InputStream get(String key) throws IOException {
    return traced("GetObject", () -> Files.newInputStream(file(key)));
  }

  @Override
  public void delete(String key) throws IOException {
    traced("DeleteObject", () -> Files.deleteIfExists(file(key)));
  }

  private Path file(String key) {
    Path file = bucket.resolve(key).normalize();
    if (!file.startsWith(bucket) || file.equals(bucket)) {
      throw new IllegalArgumentException("a key leaves the bucket");
    }
    return file;
  }

  @Override
  public void check() throws IOException {
    if (!Files.isDirectory(bucket) || !Files.isWritable(bucket)) {
      throw new IOException("no folder that can be written: " + bucket);
    }
  }

  @Override
  public void close() {}
}
