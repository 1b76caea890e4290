package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.jarvis.document.Corpus;
import dev.jarvis.document.sandbox.Refusing;
import dev.jarvis.document.sandbox.SandboxMain;
import dev.jarvis.document.sandbox.Sandboxed;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Files are read in the sandbox; what is missing of it is reported, and refuses if required. */
@Timeout(180)
class ReaderSandboxTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(ReaderSandbox.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @TempDir Path folder;

  @BeforeEach
  void listen() {
    Sandboxed.assume();
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(lines);
  }

  private String read(Extractor extractor, byte[] content, MediaType type) throws Exception {
    Path file = Files.write(folder.resolve("file"), content);
    return extractor.extract(file, type, folder).sections().toString();
  }

  private void assertReads(Extractor extractor) throws Exception {
    assertThat(read(extractor, Corpus.HTML.getBytes(StandardCharsets.UTF_8), MediaType.HTML))
        .contains("Molène");
  }

  private static Extractor extractor(SandboxMode mode, Class<?> firstStage, boolean supported) {
    return new Extractor(
        ExtractorTest.LIMITS, new ReaderSandbox(mode, firstStage, supported, System::nanoTime));
  }

  @Test
  void readsFilesOfEachTypeInTheWholeSandbox() throws Exception {
    Extractor extractor = extractor(SandboxMode.REQUIRED, SandboxMain.class, true);
    assertThat(extractor.sandboxLayers()).isEmpty();

    assertReads(extractor);
    assertThat(read(extractor, Corpus.pdf("First page."), MediaType.PDF)).contains("First page.");
    assertThat(read(extractor, Corpus.docx("One."), MediaType.DOCX)).contains("One.");
    byte[] text = "word ".repeat(300_000).getBytes(StandardCharsets.UTF_8);
    assertThatExceptionOfType(ExtractionException.class)
        .isThrownBy(() -> read(extractor, text, MediaType.TEXT))
        .withMessageContaining("too much text");
    assertThat(extractor.sandboxLayers())
        .isEqualTo(Map.of("no_new_privileges", 1L, "landlock", 1L, "seccomp", 1L));
    assertThat(lines.list).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "WithoutLandlock, true, landlock",
    "WithoutSeccomp, true, seccomp",
    "WithoutAny, true, 'no_new_privileges, landlock, seccomp'",
    "Broken, false, 'no_new_privileges, landlock, seccomp'",
  })
  void whatIsMissingIsReportedOnceAndRefusesFilesIfRequired(
      String name, boolean supported, String missing) throws Exception {
    Class<?> firstStage = Class.forName(Refusing.class.getName() + "$" + name);
    List<String> absent = List.of(missing.split(", ", -1));
    Extractor auto = extractor(SandboxMode.AUTO, firstStage, supported);
    auto.checkSandbox();
    assertReads(auto);
    assertReads(auto);
    assertThat(auto.sandboxLayers()).hasSize(3);
    auto.sandboxLayers()
        .forEach(
            (layer, value) ->
                assertThat(value).as(layer).isEqualTo(absent.contains(layer) ? 0L : 1L));
    assertLogged(Level.WARN, missing, "auto");

    lines.list.clear();
    Extractor required = extractor(SandboxMode.REQUIRED, firstStage, supported);
    required.checkSandbox();
    for (int i = 0; i < 2; i++) {
      assertThatExceptionOfType(ReaderUnavailableException.class)
          .isThrownBy(() -> assertReads(required))
          .withMessageContaining("missing: %s.", missing)
          .satisfies(e -> assertThat(e.code()).isEqualTo("sandbox_unavailable"));
    }
    assertLogged(Level.ERROR, missing, "required");
  }

  private void assertLogged(Level level, String missing, String mode) {
    assertThat(lines.list)
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.getLevel()).isEqualTo(level);
              assertThat(it.getMessage()).isEqualTo("reader_sandbox_incomplete");
              assertThat(it.getKeyValuePairs().toString())
                  .contains("missing=\"" + missing + "\"", "mode=\"" + mode + "\"");
            });
  }

  @Test
  void aFileIsNotReadIfTheTrialFails() {
    Extractor extractor = extractor(SandboxMode.AUTO, Refusing.Broken.class, true);

    assertThatExceptionOfType(ReaderUnavailableException.class)
        .isThrownBy(() -> assertReads(extractor))
        .satisfies(e -> assertThat(e.code()).isEqualTo("reader_unavailable"));
    assertThat(extractor.sandboxLayers()).isEmpty();
  }

  @Test
  void theSandboxCanBeSwitchedOff() throws Exception {
    Extractor extractor = extractor(SandboxMode.OFF, Refusing.Broken.class, true);

    assertReads(extractor);
    assertThat(extractor.sandboxLayers().values()).hasSize(3).containsOnly(0L);
    assertThat(lines.list).isEmpty();
  }
}
