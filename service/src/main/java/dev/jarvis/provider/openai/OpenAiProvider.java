package dev.jarvis.provider.openai;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.LineStream;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.telemetry.Instruments;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The models of a server of OpenAI's dialect, through {@code /models}, {@code /chat/completions}
 * and {@code /embeddings} below its base URL, which usually ends in {@code /v1}.
 */
public final class OpenAiProvider implements Provider {
  /** The factory of the type {@code openai}. */
  public static final ProviderFactory FACTORY =
      new ProviderFactory() {
        @Override
        public String type() {
          return "openai";
        }

        @Override
        public Provider open(ModelServerConfig config, Instruments instruments) {
          return new OpenAiProvider(config);
        }
      };

  private final ModelServerConfig config;
  private final FieldPolicy fields;
  private final ModelServerClient http;
  private final OpenAiWindows windows;

  /** Models whose server refused {@code stream_options.include_usage}; bounded. */
  private final Set<String> withoutUsage = ConcurrentHashMap.newKeySet();

  public OpenAiProvider(ModelServerConfig config) {
    this.config = config;
    this.fields = config.fields();
    this.http = new ModelServerClient(config);
    this.windows = new OpenAiWindows(http);
  }

  @Override
  public String name() {
    return config.name();
  }

  @Override
  public Duration listTimeout() {
    return config.listTimeout();
  }

  @Override
  public List<String> models() throws ProviderException {
    List<JsonNode> listed = http.models("/models", "data", "id");
    windows.listed(listed);
    return listed.stream().map(it -> it.path("id").textValue()).toList();
  }

  @Override
  public EventSource chat(ProviderRequest request) throws ProviderException {
    if (streams(request.streamed())) {
      return stream(request);
    }
    Duration limit = ModelServerClient.shorter(config.timeouts().answerTimeout(), request.limit());
    ObjectNode body = body(request.chat()).put("stream", false);
    body.remove("stream_options");
    JsonNode answer =
        http.json(
            "/chat/completions",
            Json.bytes(body),
            limit,
            ModelServerClient.CHAT_LIMIT_BYTES,
            JsonNode.class);
    return EventSource.of(new OpenAiEvents().ofAnswer(answer, request.chat()));
  }

  @Override
  public boolean streams(boolean wanted) {
    return wanted || config.alwaysStreams();
  }

  /**
   * Asks for the usage too, without which it would be estimated. Some servers refuse that; then the
   * stream is requested without it.
   */
  private EventSource stream(ProviderRequest request) throws ProviderException {
    long deadline = System.nanoTime() + request.limit().toNanos();
    String model = request.chat().model();
    ObjectNode body = body(request.chat()).put("stream", true);
    if (withoutUsage.contains(model)) {
      body.remove("stream_options");
      return stream(body, request.limit());
    }
    boolean noOtherOptions =
        body.withObject("/stream_options").put("include_usage", true).size() == 1;
    try {
      return stream(body, request.limit());
    } catch (ProviderException.Refused e) {
      if (!noOtherOptions || !String.valueOf(e.getMessage()).contains("stream_options")) {
        throw e; // an option of one client must not turn off the usage for all
      }
      body.remove("stream_options");
      Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
      EventSource answer = stream(body, left);
      if (withoutUsage.size() < ModelServerClient.MODELS_LIMIT) {
        withoutUsage.add(model);
      }
      return answer;
    }
  }

  private EventSource stream(ObjectNode body, Duration longest) throws ProviderException {
    Duration limit = ModelServerClient.shorter(config.timeouts().firstTokenTimeout(), longest);
    ModelServerClient.Opened opened = http.post("/chat/completions", Json.bytes(body), limit);
    return new OpenAiStream(opened.body(), opened.left(), config.timeouts().betweenTokensTimeout());
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return UnsupportedFields.of(request.body(), fields);
  }

  @Override
  public OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
    return configured.isPresent() ? configured : windows.of(chat.model());
  }

  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    ObjectNode body = request.body().deepCopy().put("model", request.model());
    body.put("encoding_format", "float");
    Duration limit =
        ModelServerClient.shorter(config.timeouts().firstTokenTimeout(), request.limit());
    Vectors answer =
        http.json(
            "/embeddings",
            Json.bytes(body),
            limit,
            ModelServerClient.VECTORS_LIMIT_BYTES,
            Vectors.class);
    if (answer.data() == null) {
      throw LineStream.invalidResponse(new IOException("the response has no array 'data'"));
    }
    List<float[]> vectors =
        answer.data().stream()
            .filter(Objects::nonNull)
            .sorted(Comparator.comparingInt(Vector::index))
            .map(it -> it.embedding() == null ? new float[0] : it.embedding())
            .toList();
    Integer counted = answer.usage() == null ? null : answer.usage().input();
    Usage usage =
        counted == null ? Usage.estimate(request.estimatedTokens()) : Usage.counted(counted, 0);
    return new Embeddings(vectors, usage, null).checked(request);
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return UnsupportedFields.of(request.body(), fields);
  }

  private record Vectors(@Nullable List<Vector> data, @Nullable Counted usage) {}

  @SuppressWarnings("ArrayRecordComponent") // read once, never compared
  private record Vector(int index, float @Nullable [] embedding) {}

  private record Counted(
      @JsonProperty("prompt_tokens") @Nullable Integer promptTokens,
      @JsonProperty("total_tokens") @Nullable Integer totalTokens) {

    /** Null if the server reports none. Embeddings have no output, so the total is the same. */
    @Nullable Integer input() {
      Integer tokens = promptTokens == null ? totalTokens : promptTokens;
      return tokens == null || tokens < 0 ? null : tokens;
    }
  }

  @Override
  public void close() {
    http.close();
  }

  /** A copy of the client's request with the provider's model name. */
  private static ObjectNode body(ChatRequest request) {
    ObjectNode body = Json.object();
    body.setAll(request.body());
    if (body.get("stream_options") instanceof ObjectNode options) {
      body.set("stream_options", options.deepCopy());
    }
    return body.put("model", request.model());
  }
}
