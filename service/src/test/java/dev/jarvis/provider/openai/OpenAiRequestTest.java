package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The requests that are sent to a server of OpenAI's dialect. */
@Timeout(60)
class OpenAiRequestTest {
  private static final String PIECE =
      "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}";
  private static final String WHOLE =
      """
      {"choices":[{"index":0,"message":{"content":"whole"},"finish_reason":"stop"}],
       "usage":{"prompt_tokens":7,"completion_tokens":9}}""";

  private FakeOpenAi server;
  private OpenAiProvider provider;

  @BeforeEach
  void start() throws IOException {
    server = FakeOpenAi.start("m");
    server.events(PIECE);
    server.answer(WHOLE);
    provider = provider(false);
  }

  @AfterEach
  void close() {
    provider.close();
    server.close();
  }

  private OpenAiProvider provider(boolean alwaysStreams) {
    return new OpenAiProvider(
        Configs.of(
            ModelServerConfig.class,
            "cloud",
            Map.of("url", server.uri().toString(), "ask", alwaysStreams ? "stream" : "as-asked")));
  }

  /** A client's request with its own stream options. */
  private static ChatRequest hi() {
    ChatRequest request = Chats.request("m", "hi");
    request.body().put("model", "route").put("stream", true).put("top_k", 3);
    request.body().putObject("stream_options").put("include_obfuscation", false);
    return request;
  }

  private JsonNode asked() throws IOException {
    return new ObjectMapper().readTree(server.lastBody());
  }

  @Test
  void requestsAStreamWithUsage() throws Exception {
    assertThat(Chats.ask(provider, Chats.stream(hi())).text()).isEqualTo("x");

    assertThat(asked().path("stream").booleanValue()).isTrue();
    assertThat(asked().path("stream_options").toString())
        .isEqualTo("{\"include_obfuscation\":false,\"include_usage\":true}");
    assertThat(asked().path("model").textValue()).isEqualTo("m");
    assertThat(asked().path("top_k").intValue()).isEqualTo(3);
  }

  @Test
  void doesNotChangeTheClientsRequest() throws Exception {
    ChatRequest request = hi();
    String before = request.body().toString();

    Chats.ask(provider, Chats.stream(request));
    Chats.ask(provider, Chats.whole(request));

    assertThat(request.body()).hasToString(before);
  }

  @Test
  void requestsAWholeAnswer() throws Exception {
    Chats.Answer answer = Chats.ask(provider, Chats.whole(hi()));

    assertThat(answer.text()).isEqualTo("whole");
    assertThat(answer.usage()).isEqualTo(Usage.counted(7, 9));
    assertThat(asked().path("stream").booleanValue()).isFalse();
    assertThat(asked().has("stream_options")).isFalse();
    assertThat(provider.streams(false)).isFalse();
    assertThat(provider.streams(true)).isTrue();
  }

  @Test
  void requestsAStreamIfConfigured() throws Exception {
    try (OpenAiProvider streaming = provider(true)) {
      assertThat(streaming.streams(false)).isTrue();
      assertThat(Chats.ask(streaming, Chats.whole(hi())).text()).isEqualTo("x");
      assertThat(asked().path("stream").booleanValue()).isTrue();
    }
  }

  @Test
  void omitsStreamOptionsOnceAServerHasRefusedThem() throws Exception {
    server.refuse("stream_options");
    ChatRequest request = Chats.request("m", "hi");

    assertThat(Chats.ask(provider, Chats.stream(request)).of(Event.Text.class)).hasSize(1);
    assertThat(server.requests()).isEqualTo(2);
    assertThat(asked().has("stream_options")).isFalse();
    assertThat(asked().path("stream").booleanValue()).isTrue();

    Chats.ask(provider, Chats.stream(request));
    assertThat(server.requests()).as("requests; the second chat needs no retry").isEqualTo(3);
    assertThat(asked().has("stream_options")).isFalse();
  }

  @Test
  void doesNotOmitStreamOptionsBecauseOfAnotherClientsOption() throws Exception {
    server.refuse("stream_options");
    assertThatThrownBy(() -> Chats.ask(provider, Chats.stream(hi())))
        .as("the client's own stream_options")
        .isInstanceOf(ProviderException.Refused.class);
    server.reset();

    Chats.ask(provider, Chats.stream(Chats.request("m", "hi")));

    assertThat(asked().path("stream_options").path("include_usage").booleanValue()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"error\":{\"message\":\"Extra inputs are not permitted\"}}",
        "{\"object\":\"error\",\"message\":{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"stream_options\"]}]}}",
        "{\"detail\":[{\"loc\":[\"body\",\"stream_options\"],\"msg\":\"extra fields not permitted\"}]}",
        "{}"
      })
  void asksWithoutOptionsInWhateverWordsTheyAreRefused(String refusal) throws Exception {
    server.refuse("stream_options", 422, refusal);

    Chats.ask(provider, Chats.stream(Chats.request("m", "hi")));

    assertThat(asked().has("stream_options")).isFalse();
    assertThat(server.requests()).isEqualTo(2);
  }

  @Test
  void reportsAnyOtherRefusalToTheClient() {
    server.refuse("top_k");

    assertThatThrownBy(() -> Chats.ask(provider, Chats.stream(hi())))
        .isInstanceOf(ProviderException.Refused.class)
        .hasMessageContaining("top_k");
    assertThat(server.requests()).isEqualTo(1);
  }

  @Test
  void reportsAnInvalidWholeAnswerAsFailure() {
    server.answer("{\"choices\"");

    assertThatThrownBy(() -> Chats.ask(provider, Chats.whole(hi())))
        .isInstanceOfSatisfying(
            ProviderException.Unavailable.class, e -> assertThat(e.begun()).isTrue());
  }
}
