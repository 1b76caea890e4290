package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of the repository that is generated from the code, so that a change of the code shows in
 * review. Tests named {@code *GoldenTest} hold such files to the code; {@code make generate} runs
 * them with {@code -Dgolden.update}, which writes the files instead.
 */
public final class GoldenFile {
  private static final boolean UPDATE = System.getProperty("golden.update") != null;

  private GoldenFile() {}

  /**
   * Fails if the file's content differs from what the code generates.
   *
   * @param file relative to the repository's root, with {@code /} between names
   */
  public static void check(String file, String generated) throws IOException {
    Path path = root().resolve(file);
    if (UPDATE) {
      Files.createDirectories(path.getParent());
      Files.writeString(path, generated);
    }
    assertThat(path).as("%s is out of date; run make generate", file).hasContent(generated);
  }

  /** Maven runs tests in the module's folder, an editor perhaps in the repository's. */
  private static Path root() {
    Path folder = Path.of("");
    return Files.isDirectory(folder.resolve("service")) ? folder : Path.of("..");
  }
}
