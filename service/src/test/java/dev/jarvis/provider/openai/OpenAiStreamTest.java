package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams as servers of OpenAI's dialect send them. */
class OpenAiStreamTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String HELLO =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n";
  private static final String LO =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}\n\n";
  private static final String END =
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}\n\n";
  private static final String USAGE =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}\n\n";
  private static final String DONE = "data: [DONE]\n\n";

  private Chats.Answer read(String... events) throws ProviderException {
    byte[] body = String.join("", events).getBytes(StandardCharsets.UTF_8);
    try (EventSource stream = new OpenAiStream(new ByteArrayInputStream(body), LIMIT, LIMIT)) {
      return Chats.read(stream);
    }
  }

  @Test
  void readsTextUsageAndFinishReason() throws Exception {
    String role =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    Chats.Answer answer = read(role, HELLO, LO, END.formatted("length"), USAGE, DONE);

    assertThat(answer.text()).isEqualTo("Hello");
    assertThat(answer.reason()).isEqualTo(FinishReason.LENGTH);
    assertThat(answer.usage()).isEqualTo(Usage.counted(7, 9));
  }

  @Test
  void acceptsCommentsEventNamesCarriageReturnsAndMissingSpaces() throws Exception {
    Chats.Answer answer =
        read(
            ": keep-alive\n\n",
            "event: message\r\n",
            HELLO.replace("data: ", "data:").replace("\n", "\r\n"),
            LO,
            END.formatted("stop"),
            DONE);

    assertThat(answer.text()).isEqualTo("Hello");
    assertThat(answer.of(Event.UsageReport.class))
        .as("usage from a server that does not count")
        .isEmpty();
  }

  @Test
  void usesTheLatestUsage() throws Exception {
    String counted =
        LO.replace("]}\n", "],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n");

    assertThat(read(HELLO, counted, END.formatted("stop"), DONE).usage())
        .isEqualTo(Usage.counted(3, 5));
  }

  @Test
  void countsTokensFromTheServersCacheSeparately() throws Exception {
    String counted = USAGE.replace("9}", "9,\"prompt_tokens_details\":{\"cached_tokens\":5}}");

    Usage usage = read(HELLO, END.formatted("stop"), counted, DONE).usage();

    assertThat(usage).isEqualTo(new Usage(2, 5, 9, 0, false));
    assertThat(usage.inputTokens()).isEqualTo(7);
  }

  @Test
  void separatesReasoningFromText() throws Exception {
    String thought = HELLO.replace("\"content\":\"Hel\"", "\"reasoning_content\":\"Hm\"");
    String counted =
        USAGE.replace("9}", "9,\"completion_tokens_details\":{\"reasoning_tokens\":4}}");

    Chats.Answer answer = read(thought, HELLO, LO, END.formatted("stop"), counted, DONE);

    assertThat(answer.text()).isEqualTo("Hello");
    assertThat(answer.of(Event.Reasoning.class))
        .extracting(Event.Reasoning::text)
        .containsOnly("Hm");
    assertThat(answer.usage()).isEqualTo(new Usage(7, 0, 5, 4, false));
    assertThat(answer.usage().outputTokens()).isEqualTo(9);
  }

  @Test
  void keepsUnknownFieldsOfChunksOnce() throws Exception {
    String odd = "data: {\"id\":\"c\",\"system_fingerprint\":\"f%d\",";
    Chats.Answer answer =
        read(
            HELLO.replace("data: {", odd.formatted(1)),
            LO.replace("data: {", odd.formatted(1)),
            END.formatted("stop").replace("data: {", odd.formatted(2)),
            DONE);

    assertThat(answer.of(Event.AnswerFields.class))
        .extracting(it -> it.fields().toString())
        .containsExactly("{\"system_fingerprint\":\"f1\"}", "{\"system_fingerprint\":\"f2\"}");
  }

  @Test
  void passesOnToolCallsInPieces() throws Exception {
    String call =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,%s}]}}]}\n\n";
    Chats.Answer answer =
        read(
            call.formatted("\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
            call.formatted("\"function\":{\"arguments\":\"}\"}"),
            END.formatted("tool_calls"),
            DONE);

    assertThat(answer.of(Event.ToolCall.class))
        .extracting(Event.ToolCall::index, Event.ToolCall::id, Event.ToolCall::name)
        .containsExactly(tuple(0, "c1", "f"), tuple(0, null, null));
    assertThat(answer.of(Event.ToolCall.class))
        .extracting(Event.ToolCall::arguments)
        .containsExactly("{", "}");
    assertThat(answer.reason()).isEqualTo(FinishReason.TOOL_CALLS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "data: {\"choices\":\n\n",
        "data: {}\n\n",
        "data: {\"error\":{\"message\":\"broken\"}}\n\n"
      })
  void reportsAnyOtherEndAsFailure(String last) {
    assertThatThrownBy(() -> read(HELLO, last)).isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void doesNotReadAHugeLineToItsEnd() {
    assertThatThrownBy(() -> read(HELLO, "data: " + "x".repeat(17 << 20) + "\n"))
        .isInstanceOf(ProviderException.Unavailable.class)
        .hasMessage("The model server's event is longer than the maximum of 16 MiB.");
  }
}
