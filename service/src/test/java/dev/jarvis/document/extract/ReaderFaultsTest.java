package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Which failures are the file's fault and which JARVIS's, and what is logged of them. */
@Timeout(180)
class ReaderFaultsTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(ExtractProcess.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  /** Shared, because each begins with a trial. */
  private static final ReaderSandbox SANDBOX = new ReaderSandbox(SandboxMode.AUTO);

  @TempDir Path folder;

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(lines);
  }

  private void read(Path file, MediaType type) throws Exception {
    new ExtractProcess(ExtractorTest.LIMITS, SANDBOX).run(file, type, folder);
  }

  private String stderr(Level level) {
    assertThat(lines.list).hasSize(1);
    ILoggingEvent line = lines.list.getFirst();
    assertThat(line.getLevel()).isEqualTo(level);
    return String.valueOf(line.getKeyValuePairs());
  }

  private static RuntimeException thrownIn(String... classes) {
    RuntimeException e = new IllegalArgumentException("secret text of the file");
    StackTraceElement[] frames = new StackTraceElement[classes.length];
    for (int i = 0; i < classes.length; i++) {
      frames[i] = new StackTraceElement(classes[i], "read", "File.java", i);
    }
    e.setStackTrace(frames);
    return e;
  }

  @Test
  void anErrorOfALibraryIsTheFilesFaultAndAnErrorOfJarvisIsNot() {
    String pdfbox = "org.apache.pdfbox.Loader";
    String jarvis = "dev.jarvis.document.extract.PdfText";

    assertThat(ExtractMain.isFilesFault(thrownIn("java.util.List", pdfbox, jarvis))).isTrue();
    assertThat(ExtractMain.isFilesFault(thrownIn("java.util.List", jarvis, pdfbox))).isFalse();
    assertThat(ExtractMain.isFilesFault(thrownIn())).isFalse();
    assertThat(ExtractMain.isFilesFault(new IOException("end of file"))).isTrue();
    assertThat(ExtractMain.isFilesFault(new NoSuchFileException("x"))).isFalse();
    assertThat(ExtractMain.isFilesFault(new FileNotFoundException("x"))).isFalse();
    assertThat(ExtractMain.isFilesFault(new StackOverflowError())).isTrue();
    assertThat(ExtractMain.isFilesFault(new NoClassDefFoundError("x"))).isFalse();
  }

  @Test
  void aStackTraceHasNoTextOfTheFile() {
    RuntimeException e = thrownIn("org.apache.pdfbox.Loader");
    e.initCause(new IOException("more secret text"));

    assertThat(ExtractMain.trace(e))
        .contains("IllegalArgumentException", "org.apache.pdfbox.Loader.read", "caused by java.io")
        .doesNotContain("secret");
  }

  @Test
  void anErrorOfJarvisIsRetriedAndItsStackTraceLogged() {
    assertThatExceptionOfType(ReaderUnavailableException.class)
        .isThrownBy(() -> read(folder.resolve("absent"), MediaType.PDF));

    assertThat(stderr(Level.WARN))
        .contains("NoSuchFileException", "dev.jarvis.document.extract.PdfText");
  }

  @Test
  void aDamagedFileIsRefusedAndItsStackTraceLogged() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no archive");

    assertThatExceptionOfType(ExtractionException.class)
        .isThrownBy(() -> read(file, MediaType.PDF))
        .satisfies(e -> assertThat(e.code()).isEqualTo("broken_file"));

    assertThat(stderr(Level.INFO)).contains("org.apache.pdfbox");
  }

  @Test
  void theProcessTellsWhichTextHasLines() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "Port;Time\nBrest;07:35\n");
    assertThat(
            new ExtractProcess(ExtractorTest.LIMITS, SANDBOX)
                .run(file, MediaType.CSV, folder)
                .sections())
        .isNotEmpty()
        .allMatch(Section::lines);
  }

  @Test
  void allOfStandardErrorIsReadAndItsEndKept() throws Exception {
    String text = "first\n" + "x".repeat(100_000) + "\n  at the\nlast\n";
    ErrorOutput output =
        ErrorOutput.of(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));

    String last = output.last();
    assertThat(last.length()).isBetween(8_000, 9_000);
    assertThat(last.substring(8_000)).endsWith("x | at the | last");
  }
}
