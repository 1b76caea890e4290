package dev.jarvis.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.TestService;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against a server that speaks OpenAI's dialect: this service itself. */
@Timeout(60)
class OpenAiProviderTest {
  private final TestService service = TestService.shared();
  private final OpenAiProvider provider = provider(TestService.KEY);

  private OpenAiProvider provider(String key) {
    URI url = service.uri("/v1");
    Duration limit = Duration.ofSeconds(10);
    return new OpenAiProvider(new ModelServerConfig("cloud", url, key, limit, limit, limit, limit));
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
  void modelsAreListed() throws Exception {
    assertThat(provider.models()).contains(service.ollama().model());
  }

  @Test
  void anAnswerHasTheServersTextAndCounts() throws Exception {
    try (ChatStream stream = provider.chat(hi())) {
      Chats.Answer answer = Chats.read(stream);

      assertThat(answer.text()).isEqualTo(service.ollama().answer());
      assertThat(answer.finish().usage())
          .isEqualTo(
              new ChatStream.Usage(
                  service.ollama().inputTokens(), service.ollama().outputTokens()));
    }
  }

  @Test
  void parametersArrive() throws Exception {
    try (ChatStream stream = provider.chat(Chats.greedy(service.ollama().model(), "hi", 5, "X"))) {
      Chats.read(stream);
    }

    assertThat(service.ollama().lastBody())
        .contains("\"temperature\":0.0", "\"num_predict\":5", "\"seed\":1", "\"stop\":[\"X\"]");
  }

  @Test
  void failuresAreToldApart() {
    assertThatThrownBy(() -> provider.chat(Chats.request("nowhere", "hi")))
        .isInstanceOf(ModelException.NotFound.class);
    service.ollama().failWith(500);
    assertThatThrownBy(() -> provider.chat(hi())).isInstanceOf(ModelException.Unavailable.class);
    service.ollama().failWith(400);
    assertThatThrownBy(() -> provider.chat(hi())).isInstanceOf(ModelException.Refused.class);
    try (OpenAiProvider stranger = provider("sk-wrong")) {
      assertThatThrownBy(() -> stranger.chat(hi()))
          .isInstanceOf(ModelException.Unavailable.class)
          .hasMessageNotContaining("sk-wrong");
    }
  }

  @Test
  void anErrorMidwayIsAFailure() throws Exception {
    service.ollama().breakMidStream();

    try (ChatStream stream = provider.chat(hi())) {
      assertThatThrownBy(() -> Chats.read(stream)).isInstanceOf(ModelException.Unavailable.class);
    }
  }
}
