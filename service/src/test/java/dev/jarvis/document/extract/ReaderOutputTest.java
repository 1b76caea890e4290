package dev.jarvis.document.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a process prints that a file may have taken over. */
@Timeout(60)
class ReaderOutputTest {
  private static final int MAX_CHARS = 100_000;

  /** Repeats a text for ever, and counts what is read. */
  private static final class Endless extends InputStream {
    private final byte[] text;
    private long count;

    Endless(String text) {
      this.text = text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int read() {
      return text[(int) (count++ % text.length)];
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      for (int i = 0; i < length; i++) {
        into[offset + i] = (byte) read();
      }
      return length;
    }
  }

  private static InputStream bytes(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Extraction read(String output) throws Exception {
    return ReaderOutput.read(bytes(output), MAX_CHARS).extraction();
  }

  /** Where the file is not refused, an attempt has failed, of which there are ten. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | a | invalid",
        "`` | ` ` | too_much_text",
        "{\"text\":\" | a | too_much_text",
        "{\"text\":\" | \\u0000 | too_much_text",
        "{\"heading\":\" | a | too_much_text",
        "{\"error\":\" | a | too_much_text",
        "{\" | a | too_much_text",
        "{\"page\": | 1 | too_much_text",
        "{\"text\":\"a\" | ,\"text\":\"a\" | too_much_text",
        "{\"text\":\"a\" | ,\"b\":\"a\" | invalid",
        "`` | [ | invalid",
        "{\"text\": | [ | invalid",
        "`` | {\"text\":\"a\"} | too_much_text",
        "`` | {\"text\":\"\"} | too_much_text",
        "`` | {} | too_much_text",
        "`` | {\"heading\":\"a long heading above nothing\",\"text\":\"a\"} | too_much_text",
        "`` | {\"sandbox\":\"\"} | too_much_text",
      })
  void endlessOutputIsEndedAtALimit(String begin, String repeated, String result) {
    Endless endless = new Endless(repeated);
    Throwable thrown =
        catchThrowable(
            () -> ReaderOutput.read(new SequenceInputStream(bytes(begin), endless), MAX_CHARS));

    assertThat(thrown instanceof ExtractionException e ? e.code() : "invalid").isEqualTo(result);
    assertThat(endless.count).isLessThan(25L * MAX_CHARS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{\"text\":\"a\"}",
        "{\"text\":\"a\"",
        "null",
        "{\"text\":{}}",
        "{\"done\":true,\"encoding\":\"a b\"}",
        "{\"error\":\"<script>\",\"message\":\"\"}",
        "{\"error\":\"\",\"message\":\"\"}",
      })
  void otherOutputIsInvalid(String output) {
    assertThat(catchThrowable(() -> read(output))).isInstanceOf(java.io.IOException.class);
  }

  @Test
  void aRefusalIsShort() {
    String message = "a\\u0000" + "b".repeat(10_000);
    assertThat(
            catchThrowable(
                () -> read("{\"error\":\"wrong_type\",\"message\":\"%s\"}".formatted(message))))
        .isInstanceOf(ExtractionException.class)
        .hasMessageStartingWith("a b")
        .satisfies(it -> assertThat(it.getMessage()).hasSize(500));
  }

  @Test
  void textIsCheckedOnceMore() throws Exception {
    String text = "{\"page\":-1,\"text\":\"a\\u0000b\\ud800\",\"lines\":true}{\"done\":true}";
    assertThat(read(text).sections()).containsExactly(new Section(0, "", "a b?", true));
    assertThat(catchThrowable(() -> read("{\"text\":\"*\"}{\"done\":true}")))
        .hasMessage("The file has no text.");
  }

  /** The largest output of a process that was not taken over. */
  @ParameterizedTest
  @ValueSource(strings = {"a", "é", "語", "\\u0001"})
  void allTextIsReadThatTheProcessMayReturn(String character) throws Exception {
    int each = SectionWriter.SECTION_CHARS;
    int sections = MAX_CHARS / each / 2;
    String section =
        "{\"page\":2147483647,\"heading\":\"%s\",\"text\":\"a%s\",\"lines\":false}\n"
            .formatted(character.repeat(each), character.repeat(2 * each - 1));

    assertThat(read(section.repeat(sections) + "{\"done\":true}").sections()).hasSize(sections);
  }
}
