package dev.jarvis.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.model.ChatStream.Reason;
import dev.jarvis.model.ChatStream.Usage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What servers that speak OpenAI's dialect really send. */
class OpenAiStreamTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final int INPUT = 12;
  private static final String HELLO =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n";
  private static final String LO =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}\n\n";
  private static final String END =
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}\n\n";
  private static final String USAGE =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}\n\n";
  private static final String DONE = "data: [DONE]\n\n";

  private Chats.Answer read(String... events) throws ModelException {
    byte[] body = String.join("", events).getBytes(StandardCharsets.UTF_8);
    try (ChatStream stream =
        new OpenAiStream(new ByteArrayInputStream(body), LIMIT, INPUT).awaitFirst(LIMIT)) {
      return Chats.read(stream);
    }
  }

  @Test
  void textUseAndReason() throws Exception {
    String role =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    Chats.Answer answer = read(role, HELLO, LO, END.formatted("length"), USAGE, DONE);

    assertThat(answer.text()).isEqualTo("Hello");
    assertThat(answer.finish().reason()).isEqualTo(Reason.LENGTH);
    assertThat(answer.finish().usage()).isEqualTo(new Usage(7, 9));
  }

  @Test
  void commentsNamesOfEventsCarriageReturnsAndMissingSpacesAreNoTrouble() throws Exception {
    Chats.Answer answer =
        read(
            ": keep-alive\n\n",
            "event: message\r\n",
            HELLO.replace("data: ", "data:").replace("\n", "\r\n"),
            LO,
            END.formatted("stop"),
            DONE);

    assertThat(answer.text()).isEqualTo("Hello");
    assertThat(answer.finish().usage())
        .as("estimated, the output by pieces")
        .isEqualTo(new Usage(INPUT, 0, 2, true));
  }

  @Test
  void useOnEveryChunkIsTheLatest() throws Exception {
    String counted =
        LO.replace("]}\n", "],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n");

    assertThat(read(HELLO, counted, END.formatted("stop"), DONE).finish().usage())
        .isEqualTo(new Usage(3, 5));
  }

  @Test
  void tokensFromTheServersCacheAreToldApart() throws Exception {
    String counted = USAGE.replace("9}", "9,\"prompt_tokens_details\":{\"cached_tokens\":5}}");

    Usage usage = read(HELLO, END.formatted("stop"), counted, DONE).finish().usage();

    assertThat(usage).isEqualTo(new Usage(7, 5, 9, false));
    assertThat(usage.freshInputTokens()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "data: {\"choices\":\n\n",
        "data: {}\n\n",
        "data: {\"error\":{\"message\":\"broken\"}}\n\n"
      })
  void whatEndsOtherwiseIsAFailure(String last) {
    assertThatThrownBy(() -> read(HELLO, last)).isInstanceOf(ModelException.Unavailable.class);
  }

  @Test
  void aHugeLineIsNotReadToItsEnd() {
    assertThatThrownBy(() -> read(HELLO, "data: " + "x".repeat(2 << 20) + "\n"))
        .isInstanceOf(ModelException.Unavailable.class);
  }
}
