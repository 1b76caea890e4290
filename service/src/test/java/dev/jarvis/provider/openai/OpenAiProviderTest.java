package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.TestService;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The provider with this service itself as the server of OpenAI's dialect. */
@Timeout(60)
class OpenAiProviderTest {
  private final TestService service = TestService.shared();
  private final OpenAiProvider provider = provider(TestService.KEY);

  private OpenAiProvider provider(String key) {
    return new OpenAiProvider(
        Configs.of(
            ModelServerConfig.class,
            "cloud",
            Map.of("url", service.uri("/v1").toString(), "api-key", key)));
  }

  @BeforeEach
  void reset() {
    service.ollama().reset();
  }

  @AfterEach
  void close() {
    provider.close();
    service.ollama().reset();
  }

  private ChatRequest hi() {
    return Chats.request(service.ollama().model(), "hi");
  }

  @Test
  void listsModels() throws Exception {
    assertThat(provider.models().names()).contains(service.ollama().model());
  }

  @Test
  void returnsTheServersTextAndCounts() throws Exception {
    for (ProviderRequest request : List.of(Chats.stream(hi()), Chats.whole(hi()))) {
      Chats.Answer answer = Chats.ask(provider, request);

      assertThat(answer.text()).isEqualTo(service.ollama().answer());
      assertThat(answer.reason()).isEqualTo(FinishReason.STOP);
      assertThat(answer.usage())
          .isEqualTo(
              Usage.counted(service.ollama().inputTokens(), service.ollama().outputTokens()));
      assertThat(service.ollama().lastBody()).contains("\"stream\":" + request.streamed());
    }
  }

  @Test
  void sendsParameters() throws Exception {
    Chats.ask(provider, Chats.stream(Chats.greedy(service.ollama().model(), "hi", 5, "X")));

    assertThat(service.ollama().lastBody())
        .contains("\"temperature\":0.0", "\"num_predict\":5", "\"seed\":1", "\"stop\":[\"X\"]");
  }

  private Chats.Answer ask(ChatRequest request, boolean streamed) throws ProviderException {
    return Chats.ask(provider, streamed ? Chats.stream(request) : Chats.whole(request));
  }

  @Test
  void distinguishesFailures() {
    for (boolean streamed : new boolean[] {true, false}) {
      service.ollama().reset();
      assertThatThrownBy(() -> ask(Chats.request("nowhere", "hi"), streamed))
          .isInstanceOf(ProviderException.NotFound.class);
      service.ollama().failWith(500);
      assertThatThrownBy(() -> ask(hi(), streamed))
          .isInstanceOf(ProviderException.Unavailable.class);
      service.ollama().failWith(400);
      assertThatThrownBy(() -> ask(hi(), streamed)).isInstanceOf(ProviderException.Refused.class);
    }
    try (OpenAiProvider stranger = provider("sk-wrong")) {
      assertThatThrownBy(() -> stranger.chat(Chats.stream(hi())))
          .isInstanceOf(ProviderException.Unavailable.class)
          .hasMessageNotContaining("sk-wrong");
    }
  }

  @Test
  void reportsAnErrorInTheMiddleAsFailure() throws Exception {
    service.ollama().breakMidStream();

    try (EventSource stream = provider.chat(Chats.stream(hi()))) {
      assertThatThrownBy(() -> Chats.read(stream))
          .isInstanceOf(ProviderException.Unavailable.class);
    }
  }
}
