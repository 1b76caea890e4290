package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.document.Corpus;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Extraction from valid, damaged and malicious files. */
class ExtractorTest {
  private static final String WORD =
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
  static final ExtractLimits LIMITS = limits(100_000, 96, "2m");

  /** Shared, because each begins with a trial. */
  private static final ReaderSandbox SANDBOX = new ReaderSandbox(SandboxMode.AUTO);

  @TempDir Path folder;

  @BeforeAll
  static void tryTheSandbox() throws Exception {
    new Extractor(LIMITS, SANDBOX).checkSandbox();
  }

  private static ExtractLimits limits(int maxChars, int memoryMib, String timeout) {
    return Configs.of(
        ExtractLimits.class,
        Map.of(
            "max-chars",
            Integer.toString(maxChars),
            "max-pages",
            "5",
            "extract-memory-mib",
            Integer.toString(memoryMib),
            "extract-timeout",
            timeout));
  }

  private List<Section> extract(byte[] content, MediaType type, ExtractLimits limits)
      throws Exception {
    Path file = Files.write(folder.resolve("file"), content);
    return new Extractor(limits, SANDBOX).extract(file, type, folder).sections();
  }

  private void assertRefused(byte[] content, MediaType type, String... codes) {
    assertThatExceptionOfType(ExtractionException.class)
        .isThrownBy(() -> extract(content, type, LIMITS))
        .satisfies(
            e -> {
              assertThat(e.code()).isIn((Object[]) codes);
              assertThat(e).hasMessageNotContaining(folder.toString());
            });
  }

  @Test
  void rowsOfATableStayUnits() throws Exception {
    byte[] table = "Boat,Fee\nMarie,14. Or 12\n".getBytes(StandardCharsets.UTF_8);
    assertThat(extract(table, MediaType.CSV, LIMITS))
        .containsExactly(new Section(0, "", "Boat: Marie | Fee: 14. Or 12\n", true));
  }

  @Test
  void countsHeadingsAsText() throws Exception {
    String headings = "# " + "a".repeat(200) + "\n" + "## b\nc\n".repeat(1_000);
    assertRefused(headings.getBytes(StandardCharsets.UTF_8), MediaType.MARKDOWN, "too_much_text");
  }

  @Test
  void readsEachTypeWithItsPages() throws Exception {
    assertThat(extract(Corpus.pdf("First page.", "", "Third page."), MediaType.PDF, LIMITS))
        .extracting(Section::page)
        .containsExactly(1, 3);
    assertThat(extract(Corpus.docx("One.", "Two."), MediaType.DOCX, LIMITS))
        .singleElement()
        .satisfies(it -> assertThat(it.text()).contains("One.", "Two."));
    List<Section> page =
        extract(Corpus.HTML.getBytes(StandardCharsets.UTF_8), MediaType.HTML, LIMITS);
    assertThat(page.toString()).contains("Ferry", "Molène", "07:35").doesNotContain("zebra");
    byte[] latin = "Café à l'île".getBytes(Charset.forName("windows-1252"));
    assertThat(extract(latin, MediaType.TEXT, LIMITS).getFirst().text()).isEqualTo("Café à l'île");
  }

  /** The process has no locale, so that the names of its own files are ASCII. */
  @Test
  void readsChaptersWhoseNamesAreNotAscii() throws Exception {
    byte[] book = Corpus.epub("Kapitel-für-Übung.xhtml", "第一章.xhtml", "глава 2.xhtml");
    assertThat(extract(book, MediaType.EPUB, LIMITS))
        .singleElement()
        .satisfies(
            it ->
                assertThat(it.text())
                    .containsSubsequence(
                        "This is Kapitel-für-Übung.xhtml.",
                        "This is 第一章.xhtml.",
                        "This is глава 2.xhtml."));
  }

  @Test
  void refusesUnreadableFiles() throws Exception {
    assertRefused(Corpus.encryptedPdf(), MediaType.PDF, "encrypted");
    assertRefused(Corpus.pdf("", ""), MediaType.PDF, "no_text");
    assertThat(catchThrowable(() -> extract(Corpus.pdf("", ""), MediaType.PDF, LIMITS)))
        .hasMessageContaining("Scanned documents are not supported");
    for (String empty : new String[] {"", " \n ", "***"}) {
      byte[] bytes = empty.getBytes(StandardCharsets.UTF_8);
      assertThat(catchThrowable(() -> extract(bytes, MediaType.TEXT, LIMITS)))
          .hasMessage("The file has no text.");
    }
    assertThat(catchThrowable(() -> extract(Corpus.docx(""), MediaType.DOCX, LIMITS)))
        .hasMessage("The file has no text.");
    assertRefused(Corpus.pdf("1", "2", "3", "4", "5", "6"), MediaType.PDF, "too_many_pages");
    byte[] random = new byte[5_000];
    new java.util.Random(1).nextBytes(random);
    assertRefused(random, MediaType.PDF, "broken_file");
    assertRefused(random, MediaType.DOCX, "broken_file", "encrypted");
    assertRefused("a\0b".getBytes(StandardCharsets.UTF_8), MediaType.TEXT, "wrong_type");
    assertRefused(
        "x".repeat(100_001).getBytes(StandardCharsets.UTF_8), MediaType.TEXT, "too_much_text");
    assertRefused(
        Corpus.officeFile("application/vnd.ms-word.document.macroEnabled.main+xml", "<a/>"),
        MediaType.DOCX,
        "macros");
    assertRefused(
        Corpus.officeFile(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", "<a/>"),
        MediaType.DOCX,
        "wrong_type");
  }

  @Test
  void limitsFilesThatExpand() throws Exception {
    String zeros = "<a>" + "0".repeat(300 << 20) + "</a>";
    assertRefused(
        Corpus.officeFile(WORD, zeros), MediaType.DOCX, "expands_too_much", "too_much_memory");
    assertThat(extract(Corpus.expandingPdf(300, " "), MediaType.PDF, LIMITS).toString())
        .as("streamed, so that it is never in memory as a whole")
        .contains("Small.");
    assertRefused(
        Corpus.expandingPdf(300, "(Much.) Tj "),
        MediaType.PDF,
        "too_much_memory",
        "too_much_text",
        "too_slow");
    String deep = "<div>".repeat(200_000) + "x";
    assertThat(deepHtml(deep)).isIn("read", "broken_file", "too_much_memory", "too_slow");
  }

  @Test
  @Timeout(value = 300, unit = TimeUnit.SECONDS) // quadratic time would take hours
  void takesLinearTimeForRunsOfBlanks() throws Exception {
    ExtractLimits roomy = limits(10_000_000, 256, "2m");
    for (int size : List.of(1_000_000, 4_000_000)) { // in this process, and in a separate one
      byte[] text = (" ".repeat(size) + "x").getBytes(StandardCharsets.UTF_8);
      assertThat(extract(text, MediaType.TEXT, roomy).getFirst().text()).endsWith(" x");
    }
  }

  @Test
  void doesNotBlameTheFileForAReaderThatIsKilled() throws Exception {
    byte[] slow = Corpus.expandingPdf(300, "(Much.) Tj ");
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    ExtractLimits roomy = limits(100_000_000, 2_048, "2m");
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    extract(slow, MediaType.PDF, roomy);
                  } catch (Throwable e) {
                    thrown.set(e);
                  }
                });
    await().atMost(Duration.ofMinutes(1)).until(() -> readers().count() == 1);
    readers().forEach(ProcessHandle::destroyForcibly);
    caller.join(Duration.ofMinutes(1));
    // a process that was just forked, and has not begun yet, looks like one of ours too
    assertThat(thrown.get())
        .isInstanceOf(ReaderUnavailableException.class)
        .hasMessageMatching(".*(137|did not start).*");
  }

  private String deepHtml(String html) throws Exception {
    try {
      extract(html.getBytes(StandardCharsets.UTF_8), MediaType.HTML, LIMITS);
      return "read";
    } catch (ExtractionException e) {
      return e.code();
    }
  }

  @Test
  void resolvesNoXmlEntities() throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "the-secret");
    String document =
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY x SYSTEM \"%s\">]><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
            .formatted(secret.toUri());
    assertRefused(Corpus.officeFile(WORD, document), MediaType.DOCX, "broken_file", "no_text");
  }

  @Test
  void endsTheProcessAtItsLimitAndWithItsCaller() throws Exception {
    ExtractLimits hasty = limits(1_000, 96, "1ms");
    assertThatExceptionOfType(ExtractionException.class)
        .isThrownBy(() -> extract(Corpus.pdf("x"), MediaType.PDF, hasty))
        .satisfies(e -> assertThat(e.code()).isEqualTo("too_slow"));

    AtomicReference<Throwable> thrown = new AtomicReference<>();
    byte[] pdf = Corpus.pdf("x");
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    extract(pdf, MediaType.PDF, LIMITS);
                  } catch (Throwable e) {
                    thrown.set(e);
                  }
                });
    caller.interrupt();
    caller.join(Duration.ofMinutes(1));
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    await().atMost(Duration.ofMinutes(1)).until(() -> readers().count() == 0);
  }

  private static Stream<ProcessHandle> readers() {
    return ProcessHandle.current()
        .children()
        .filter(it -> it.info().command().orElse("").endsWith("/java"));
  }
}
