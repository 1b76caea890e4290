package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.jarvis.GoldenFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds the text of each file in the folder {@code files} to the one beside it, named {@code
 * NAME.expected}: its encoding, where the format defines none, and its sections with page and
 * headings, or why it is refused. A folder is a zip archive with its entries, so that what is in it
 * can be read and compared. With {@code -Dgolden.update} the test writes the expected texts.
 */
class FilesTest {
  private static final String FOLDER = "src/test/resources/dev/jarvis/document/extract/files";
  private static final String EXPECTED = ".expected";

  @TempDir Path folder;

  static Stream<Arguments> files() throws IOException {
    try (Stream<Path> files = Files.list(root())) {
      return files
          .filter(it -> !it.toString().endsWith(EXPECTED))
          .sorted()
          .map(it -> arguments(it.getFileName().toString(), it))
          .toList()
          .stream();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void readsAsAPersonDoes(String name, Path source) throws Exception {
    GoldenFile.check("service/" + FOLDER + "/" + name + EXPECTED, read(file(source), name));
  }

  @Test
  void expectsNothingOfMissingFiles() throws IOException {
    try (Stream<Path> files = Files.list(root())) {
      assertThat(files.map(Path::toString).filter(it -> it.endsWith(EXPECTED)))
          .allSatisfy(
              it -> assertThat(Path.of(it.substring(0, it.length() - EXPECTED.length()))).exists());
    }
  }

  private static Path root() {
    return Path.of(Files.isDirectory(Path.of("service")) ? "service" : "").resolve(FOLDER);
  }

  private static String read(Path file, String name) throws IOException {
    StringBuilder text = new StringBuilder();
    SectionWriter writer =
        new SectionWriter(100_000) {
          @Override
          void write(Section section) {
            String page = section.page() == 0 ? "" : " page " + section.page();
            String heading = section.heading().isEmpty() ? "" : " " + section.heading();
            text.append("==").append(page).append(heading).append('\n');
            text.append(section.text().strip()).append('\n');
          }
        };
    try {
      Reader.read(type(name), file, 100, writer);
      writer.end();
    } catch (Exception e) {
      ExtractionException refusal = ExtractMain.refusal(e);
      if (refusal == null) {
        throw new AssertionError(e);
      }
      return "refused: %s: %s%n".formatted(refusal.code(), refusal.getMessage());
    }
    TextEncoding encoding = writer.encoding();
    if (encoding != null) {
      text.insert(
          0,
          "encoding: %s%s%n".formatted(encoding.charset(), encoding.certain() ? "" : " (a guess)"));
    }
    return text.toString();
  }

  private static MediaType type(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1).toUpperCase(Locale.ROOT);
    return switch (extension) {
      case "HTM" -> MediaType.HTML;
      case "MD" -> MediaType.MARKDOWN;
      default ->
          Stream.of(MediaType.values())
              .filter(it -> it.name().equals(extension))
              .findFirst()
              .orElse(MediaType.TEXT);
    };
  }

  private Path file(Path source) throws IOException {
    if (!Files.isDirectory(source)) {
      return source;
    }
    Path file = folder.resolve(source.getFileName().toString());
    List<Path> entries;
    try (Stream<Path> walk = Files.walk(source)) {
      entries =
          walk.filter(Files::isRegularFile)
              // the specifications of ODT and EPUB want it first
              .sorted(Comparator.comparing((Path it) -> !it.endsWith("mimetype")))
              .toList();
    }
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8)) {
      for (Path it : entries) {
        byte[] content = Files.readAllBytes(it);
        ZipEntry entry = new ZipEntry(source.relativize(it).toString());
        if (it.endsWith("mimetype")) {
          content =
              new String(content, StandardCharsets.UTF_8).strip().getBytes(StandardCharsets.UTF_8);
          CRC32 checksum = new CRC32();
          checksum.update(content);
          entry.setMethod(ZipEntry.STORED);
          entry.setSize(content.length);
          entry.setCrc(checksum.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(content);
      }
    }
    return file;
  }
}
