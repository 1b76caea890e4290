package dev.jarvis.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A bucket as a folder. */
final class LocalObjectStore implements ObjectStore {
  private final Path bucket;

  private LocalObjectStore(Path bucket) {
    this.bucket = bucket;
  }

  static LocalObjectStore open(Path bucket) throws IOException {
    ServerFolder.makePrivate(bucket);
    return new LocalObjectStore(bucket);
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
