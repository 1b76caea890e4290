package dev.jarvis.storage.embedded;

import dev.jarvis.storage.ObjectStore;
import dev.jarvis.telemetry.ClientOperation;
import dev.jarvis.telemetry.ClientOperation.Target;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** An object store in a folder: the bucket is the folder, an object is a file in it. */
public final class LocalObjectStore implements ObjectStore {
  private final Path bucket;
  private final Telemetry telemetry;

  private LocalObjectStore(Path bucket, Telemetry telemetry) {
    this.bucket = bucket;
    this.telemetry = telemetry;
  }

  static LocalObjectStore open(Path bucket, Telemetry telemetry) throws IOException {
    ServerFolder.createPrivate(bucket);
    return new LocalObjectStore(bucket, telemetry);
  }

  private interface Call<T> {
    T send() throws IOException;
  }

  private <T> T traced(String name, Call<T> call) throws IOException {
    ClientOperation operation = telemetry.operation(Target.OBJECT_STORE, name);
    try {
      T result = call.send();
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
          Path part = part(file);
          try {
            try (FileChannel out =
                FileChannel.open(
                    part,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
              content.transferTo(Channels.newOutputStream(out));
              out.force(true);
            }
            return Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
          } finally {
            Files.deleteIfExists(part);
          }
        });
  }

  /** The incomplete file of an object, which remains if the process is killed. */
  private static Path part(Path file) {
    return file.resolveSibling(file.getFileName() + ".part");
  }

  @Override
  public InputStream get(String key) throws IOException {
    return traced("GetObject", () -> Files.newInputStream(file(key)));
  }

  @Override
  public void delete(String key) throws IOException {
    traced(
        "DeleteObject",
        () -> {
          Files.deleteIfExists(part(file(key)));
          return Files.deleteIfExists(file(key));
        });
  }

  private Path file(String key) {
    Path file = bucket.resolve(key).normalize();
    if (!file.startsWith(bucket) || file.equals(bucket)) {
      throw new IllegalArgumentException("a key must name a file inside the bucket's folder");
    }
    return file;
  }

  @Override
  public void check() throws IOException {
    if (!Files.isDirectory(bucket) || !Files.isWritable(bucket)) {
      throw new IOException("not a writable folder: " + bucket);
    }
  }

  @Override
  public void close() {}
}
