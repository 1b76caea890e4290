package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.jarvis.GoldenFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Holds the text of each file in the folder {@code files} to the one beside it, named {@code
 * NAME.expected}: its encoding, where the format defines none, and its sections with page and
 * headings, or why it is refused. A folder is a zip archive with its entries, so that what is in it
 * can be read and compared. With {@code -Dgolden.update} the test writes the expected texts.
 */
class FilesTest {
  private static final String FOLDER = "src/test/resources/dev/jarvis/document/extract/files";
  private static final String EXPECTED = ".expected";
  private static final Pattern TAG = Pattern.compile("<([\\w:]+)");

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

  /** An entry of each archive that its reader must read. */
  @ParameterizedTest
  @CsvSource({
    "changes.docx, word/document.xml",
    "changes.docx, word/styles.xml",
    "notes.docx, word/footnotes.xml",
    "boxes.docx, word/charts/chart1.xml",
    "chunks.docx, word/page.html",
    "chunks.docx, word/note.txt",
    "slides.pptx, ppt/slides/slide1.xml",
    "values.xlsx, xl/worksheets/sheet1.xml",
    "values.xlsx, xl/sharedStrings.xml",
    "writer.odt, content.xml",
    "writer.odt, META-INF/manifest.xml",
    "spine.epub, OEBPS/book.opf",
    "spine.epub, OEBPS/text/two.xhtml",
  })
  void refusesAnArchiveThatExpands(String name, String entry) throws Exception {
    Path bomb = zip(root().resolve(name), entry, " ".repeat(100 << 20));
    assertThat(read(bomb, name)).startsWith("refused: expands_too_much:");
  }

  /** Neither reads the file that an entity names nor asks a server for it. */
  @ParameterizedTest
  @CsvSource({
    "changes.docx, word/document.xml",
    "slides.pptx, ppt/slides/slide1.xml",
    "values.xlsx, xl/worksheets/sheet1.xml",
    "writer.odt, content.xml",
    "spine.epub, OEBPS/text/two.xhtml",
    "spine.epub, OEBPS/book.opf",
  })
  void resolvesNoEntities(String name, String entry) throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "the-secret");
    String xml = Files.readString(root().resolve(name).resolve(entry));
    String hostile =
        xml.replaceFirst(
                "(<\\?xml[^>]*>\\s*)",
                "$1<!DOCTYPE d [<!ENTITY x SYSTEM \"%s\">]>".formatted(secret.toUri()))
            .replaceAll("Boat|Sloop", "&x;")
            .replace("Between.", "&x;")
            .replace("No fires.", "&x;")
            .replace("application/xhtml+xml", "&x;application/xhtml+xml");
    assertThat(hostile).contains("&x;", "<!DOCTYPE");
    assertThat(read(zip(root().resolve(name), entry, hostile), name)).doesNotContain("the-secret");
  }

  @ParameterizedTest
  @ValueSource(strings = {"old.docx", "old.xlsx", "old.pptx"})
  void refusesEncryptedFilesAndThoseOfOldOffice(String name) throws Exception {
    byte[] content = new byte[2_048];
    byte[] start = HexFormat.of().parseHex("d0cf11e0a1b11ae1");
    System.arraycopy(start, 0, content, 0, start.length);
    assertThat(read(Files.write(folder.resolve(name), content), name))
        .startsWith("refused: encrypted:")
        .contains("Office 97");
  }

  @ParameterizedTest
  @ValueSource(strings = {"x.docx", "x.xlsx", "x.pptx", "x.odt", "x.epub"})
  void refusesWhatIsNoArchive(String name) throws Exception {
    assertThat(read(Files.writeString(folder.resolve(name), "PK\3\4 and no more"), name))
        .startsWith("refused: broken_file:");
  }

  /** Each part of each archive without one kind of element around what it contains, or cut off. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tables.docx",
        "boxes.docx",
        "chunks.docx",
        "wrappers.docx",
        "slides.pptx",
        "values.xlsx",
        "writer.odt",
        "spine.epub"
      })
  void blamesOddFilesRatherThanItself(String name) throws Exception {
    Path source = root().resolve(name);
    List<Path> parts;
    try (Stream<Path> walk = Files.walk(source)) {
      parts = walk.filter(it -> it.toString().matches(".*\\.(xml|xhtml|opf|rels)")).toList();
    }
    for (Path part : parts) {
      String entry = source.relativize(part).toString();
      String xml = Files.readString(part);
      Stream<String> unwrapped =
          TAG.matcher(xml)
              .results()
              .map(it -> it.group(1))
              .distinct()
              .map(tag -> xml.replaceAll("</?" + tag + "(\\s[^>]*)?>", ""));
      Stream<String> cutOff = Stream.of(xml.substring(0, xml.length() / 2), "");
      for (String odd : Stream.concat(unwrapped, cutOff).toList()) {
        assertThatCode(() -> read(zip(source, entry, odd), name))
            .as(odd)
            .doesNotThrowAnyException();
      }
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
    return MediaType.ofExtension(name.substring(name.lastIndexOf('.') + 1)).orElseThrow();
  }

  private Path file(Path source) throws IOException {
    return Files.isDirectory(source) ? zip(source, "", "") : source;
  }

  /** Zips a folder, with other content for one of its files. */
  private Path zip(Path source, String replaced, String content) throws IOException {
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
        String name = source.relativize(it).toString();
        zip.putNextEntry(new ZipEntry(name));
        if (name.equals(replaced)) {
          zip.write(content.getBytes(StandardCharsets.UTF_8));
        } else if (name.equals("mimetype")) {
          zip.write(Files.readString(it).strip().getBytes(StandardCharsets.UTF_8));
        } else {
          Files.copy(it, zip);
        }
      }
    }
    return file;
  }
}
