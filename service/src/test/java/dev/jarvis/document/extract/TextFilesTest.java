package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.document.extract.TextDecoder.Decoded;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The text of each file of the folder, as it was agreed. */
class TextFilesTest {
  private static final String EXPECTED = ".expected";
  private static final int MAX_CHARS = 100_000;
  private static final int MAX_PAGES = 10;

  static Stream<String> files() throws Exception {
    try (Stream<Path> all = Files.list(folder())) {
      return all
          .map(it -> it.getFileName().toString())
          .filter(it -> Files.exists(folder().resolve(it + EXPECTED)))
          .filter(it -> type(it).isText())
          .sorted()
          .toList()
          .stream();
    }
  }

  private static Path folder() {
    try {
      return Path.of(TextFilesTest.class.getResource("files").toURI());
    } catch (java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static MediaType type(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return MediaType.ofExtension(extension).orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("files")
  void readsWhatAPersonReads(String name) throws Exception {
    StringBuilder text = new StringBuilder();
    SectionWriter writer =
        new SectionWriter(MAX_CHARS) {
          @Override
          void write(Section section) {
            text.append("---")
                .append(section.page() == 0 ? "" : " page " + section.page())
                .append(section.lines() ? " lines" : "")
                .append(section.heading().isEmpty() ? "" : " " + section.heading())
                .append('\n')
                .append(section.text())
                .append(section.text().endsWith("\n") ? "" : "\n");
          }
        };
    Reader.read(type(name), folder().resolve(name), MAX_PAGES, writer);
    writer.end();
    TextEncoding encoding = writer.encoding();
    if (encoding != null) {
      text.insert(
          0,
          "encoding: %s, %s\n"
              .formatted(encoding.charset(), encoding.certain() ? "certain" : "guessed"));
    }
    Decoded expected =
        TextDecoder.decode(
            Files.readAllBytes(folder().resolve(name + EXPECTED)), StandardCharsets.UTF_8);
    assertThat(text.toString()).isEqualTo(expected.text());
  }
}
