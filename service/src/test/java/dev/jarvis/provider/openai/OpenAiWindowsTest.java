package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.ModelServerConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The context windows that servers of OpenAI's dialect report. */
@Timeout(60)
class OpenAiWindowsTest {
  private static final ChatRequest CHAT = Chats.request("m", "hi");

  private final Map<String, String> responses = new ConcurrentHashMap<>();
  private HttpServer server;
  private OpenAiProvider provider;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    server.createContext(
        "/",
        exchange -> {
          String body = responses.get(exchange.getRequestURI().getPath());
          byte[] bytes = (body == null ? "{}" : body).getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(body == null ? 404 : 200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
    provider = new OpenAiProvider(Configs.of(ModelServerConfig.class, "cloud", Map.of("url", url)));
  }

  @AfterEach
  void stop() {
    provider.close();
    server.stop(0);
  }

  private OptionalInt window() {
    return provider.contextWindow(CHAT, OptionalInt.empty());
  }

  private void list(String fields) throws Exception {
    responses.put("/v1/models", "{\"data\":[{\"id\":\"m\"" + fields + "}]}");
    assertThat(provider.models().names()).containsExactly("m");
  }

  /** What a server's entry of the list says besides its id. */
  private record Entry(String server, String fields, int window) {}

  static List<Entry> entries() {
    return List.of(
        new Entry("vLLM", ",\"owned_by\":\"vllm\",\"max_model_len\":4096", 4096),
        new Entry("OpenRouter", ",\"context_length\":131072", 131072),
        new Entry("Groq", ",\"context_window\":8192", 8192),
        new Entry("Mistral", ",\"max_context_length\":32768", 32768),
        new Entry("llama.cpp", ",\"meta\":{\"n_ctx_train\":8192}", 8192),
        new Entry("OpenAI", ",\"owned_by\":\"openai\"", 0),
        new Entry("odd", ",\"context_length\":\"8k\",\"meta\":[],\"max_model_len\":null", 0),
        new Entry("odd", ",\"context_length\":-1", 0),
        new Entry("odd", ",\"context_length\":99999999999", 0));
  }

  @ParameterizedTest
  @MethodSource("entries")
  void theListTellsIt(Entry it) throws Exception {
    list(it.fields);

    assertThat(window())
        .isEqualTo(it.window == 0 ? OptionalInt.empty() : OptionalInt.of(it.window));
  }

  @Test
  void llamaCppTellsItInItsProperties() throws Exception {
    responses.put("/props", "{\"default_generation_settings\":{\"n_ctx\":2048}}");
    list(",\"owned_by\":\"llamacpp\",\"meta\":{\"n_ctx_train\":8192}");

    await().until(() -> window().getAsInt() == 2048);
  }

  @Test
  void lmStudioTellsItInItsOwnApi() throws Exception {
    responses.put(
        "/api/v0/models",
        """
        {"data":[{"id":"m","max_context_length":32768,"loaded_context_length":4096}]}""");
    list(",\"owned_by\":\"organization_owner\"");

    await().until(() -> window().isPresent());
    assertThat(window()).hasValue(4096);
  }

  @Test
  void aServerWithoutItsPropertiesIsUsable() throws Exception {
    list(",\"owned_by\":\"llamacpp\"");
    list(",\"owned_by\":\"llamacpp\"");

    assertThat(window()).isEmpty();
  }

  @Test
  void theConfiguredOneCounts() throws Exception {
    list(",\"max_model_len\":4096");

    assertThat(provider.contextWindow(CHAT, OptionalInt.of(1000))).hasValue(1000);
  }
}
