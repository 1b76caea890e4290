package dev.jarvis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Folders that outlive a test class, unlike those of {@code @TempDir}. */
public final class TestFolders {
  private TestFolders() {}

  public static Path create() throws IOException {
    return Files.createTempDirectory("jarvis-test");
  }

  /** Deletes a folder and its content. */
  public static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
