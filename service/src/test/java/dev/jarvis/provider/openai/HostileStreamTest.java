package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unusual and invalid streams in OpenAI's dialect. */
class HostileStreamTest {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final String USAGE =
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}";

  private Chats.Answer read(String body) throws ProviderException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    try (EventSource stream = new OpenAiStream(new ByteArrayInputStream(bytes), LIMIT, LIMIT)) {
      return Chats.read(stream);
    }
  }

  private static String event(String json) {
    return "data: " + json + "\n\n";
  }

  private static String piece(String index, String reason) {
    return event(
        "{\"choices\":[{\"index\":%s,\"delta\":{\"content\":\"x\"},\"finish_reason\":%s}]}"
            .formatted(index, reason));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"stop", "length", "tool_calls", "content_filter", "function_call", "abort", "eos"})
  void keepsEveryFinishReason(String reason) throws Exception {
    FinishReason read = read(piece("0", '"' + reason + '"') + event("[DONE]")).reason();

    assertThat(read.id()).isEqualTo(reason);
    assertThat(read.complete())
        .isEqualTo(
            !reason.equals("content_filter") && !reason.equals("abort") && !reason.equals("eos"));
  }

  @Test
  void boundsFinishReasonsAndRemovesControlCharacters() throws Exception {
    String long1 = "\"a\\u0000b\\n" + "x".repeat(1000) + '"';

    assertThat(read(piece("0", long1) + event("[DONE]")).reason().id())
        .startsWith("abx")
        .hasSize(64);
  }

  @Test
  void ignoresAnEmptyFinishReason() throws Exception {
    Chats.Answer answer = read(piece("0", "\"\"") + piece("0", "\"length\"") + event("[DONE]"));

    assertThat(answer.reason()).isEqualTo(FinishReason.LENGTH);
    assertThat(answer.text()).isEqualTo("xx");
  }

  @Test
  void reportsAFinishReasonForEachChoice() throws Exception {
    Chats.Answer answer =
        read(
            piece("1", "\"length\"")
                + piece("0", "\"stop\"")
                + piece("2", "\"abort\"")
                + event("[DONE]"));

    assertThat(answer.of(Event.ChoiceEnd.class))
        .containsExactly(
            new Event.ChoiceEnd(1, FinishReason.LENGTH, null),
            new Event.ChoiceEnd(0, FinishReason.STOP, null),
            new Event.ChoiceEnd(2, new FinishReason("abort"), null));
  }

  @Test
  void acceptsACompleteAnswerWithoutDone() throws Exception {
    Chats.Answer answer = read(piece("0", "\"stop\"") + event(USAGE));

    assertThat(answer.usage()).isEqualTo(Usage.counted(7, 9));
    assertThat(answer.reason()).isEqualTo(FinishReason.STOP);

    String beside = USAGE.replace("[]", "[{\"index\":0,\"delta\":{},\"finish_reason\":null}]");
    assertThat(read(piece("0", "\"stop\"") + event(beside)).text())
        .as("usage in the chunk that ends the choice")
        .isEqualTo("x");
  }

  @Test
  void acceptsALastLineWithoutLineFeed() throws Exception {
    assertThat(read(piece("0", "\"stop\"") + "data: [DONE]").text()).isEqualTo("x");
    assertThat(read(piece("0", "\"stop\"") + "data: " + USAGE).text()).isEqualTo("x");
  }

  @Test
  void reportsStopForChoicesWithoutFinishReason() throws Exception {
    assertThat(read(piece("0", "null") + piece("2", "null") + event("[DONE]")).events())
        .containsExactly(
            new Event.Text(0, "x", null),
            new Event.Text(2, "x", null),
            corrected("finish_reason"),
            new Event.ChoiceEnd(0, FinishReason.STOP, null),
            new Event.ChoiceEnd(2, FinishReason.STOP, null),
            new Event.End(null));
    assertThat(read(event("[DONE]")).events())
        .as("an empty answer")
        .containsExactly(
            corrected("choices"),
            corrected("finish_reason"),
            new Event.ChoiceEnd(0, FinishReason.STOP, null),
            new Event.End(null));
  }

  private static Event corrected(String what) {
    return new Event.Note(Event.Note.Kind.CORRECTED, what);
  }

  @Test
  void reportsAnAnswerWithoutTheEndOfAChoiceAsFailure() {
    String open = piece("0", "null");
    String ended = piece("0", "\"stop\"");
    for (String body :
        new String[] {
          open,
          open + event(USAGE), // the finish reason is missing
          ended + piece("1", "null") + event(USAGE) // that of the second choice is missing
        }) {
      assertThatThrownBy(() -> read(body))
          .as(body)
          .isInstanceOf(ProviderException.Unavailable.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "128", "2147483647", "99999999999999999999", "\"x\"", "{}", "0.5"})
  void rejectsAnInvalidChoiceIndex(String index) {
    assertThatThrownBy(() -> read(piece(index, "null")))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "data: {\"choices\":", "data: [DONE]"})
  void reportsAStalledBodyAsTimeout(String begun) throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    String whole = piece("0", "\"stop\"") + event(USAGE) + begun;
    InputStream body =
        new ByteArrayInputStream(whole.getBytes(StandardCharsets.UTF_8)) {
          @Override
          public synchronized int read(byte[] bytes, int offset, int length) {
            int read = super.read(bytes, offset, length);
            if (read < 0) {
              awaitClosed();
            }
            return read; // like the JDK's client, where a closed body looks like its end
          }

          private void awaitClosed() {
            try {
              closed.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }

          @Override
          public void close() {
            closed.countDown();
          }
        };

    try (EventSource stream = new OpenAiStream(body, LIMIT, Duration.ofMillis(50))) {
      assertThatThrownBy(() -> Chats.read(stream)).isInstanceOf(ProviderException.TimedOut.class);
    }
  }
}
