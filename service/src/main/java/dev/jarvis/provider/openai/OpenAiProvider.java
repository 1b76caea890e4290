package dev.jarvis.provider.openai;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.SharedBuffers;
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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Models of any server that speaks OpenAI's dialect, by {@code /models} and {@code
 * /chat/completions} below its base URL, which usually ends in {@code /v1}.
 */
public final class OpenAiProvider implements Provider {
  /** Of the type {@code openai}. */
  public static final ProviderFactory FACTORY =
      new ProviderFactory() {
        @Override
        public String type() {
          return "openai";
        }

        @Override
        public Provider open(
            ModelServerConfig config, FieldPolicy fields, Instruments instruments) {
          return new OpenAiProvider(config, fields);
        }
      };

  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final int LIST_LIMIT_BYTES = 4 << 20;
  private static final int MODELS_LIMIT = 1000;

  private final ModelServerConfig config;
  private final FieldPolicy fields;
  private final ModelServerClient http;

  /** The models that refused to be asked for the usage of a stream; bounded. */
  private final Set<String> refusingUsage = ConcurrentHashMap.newKeySet();

  public OpenAiProvider(ModelServerConfig config) {
    this(config, FieldPolicy.DEFAULT);
  }

  /**
   * @param fields what the server does not get
   */
  public OpenAiProvider(ModelServerConfig config, FieldPolicy fields) {
    this.config = config;
    this.fields = fields;
    this.http = new ModelServerClient(config);
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
    JsonNode data;
    try {
      data = JSON.readTree(http.list("/models", LIST_LIMIT_BYTES)).path("data");
    } catch (IOException e) {
      throw LineStream.notUnderstood(e);
    }
    if (!data.isArray()) {
      throw LineStream.notUnderstood(new IOException("no data in the list of models"));
    }
    List<String> names = new ArrayList<>();
    for (JsonNode model : data) {
      if (model.path("id").isTextual() && names.size() < MODELS_LIMIT) {
        names.add(model.path("id").textValue());
      }
    }
    return names;
  }

  @Override
  public EventSource chat(ProviderRequest ask) throws ProviderException {
    if (streams(ask.streamed())) {
      return stream(ask);
    }
    Duration limit = ModelServerClient.shorter(config.answerTimeout(), ask.limit());
    ObjectNode body = body(ask.request()).put("stream", false);
    body.remove("stream_options");
    JsonNode answer =
        http.json(
            "/chat/completions",
            bytes(body),
            limit,
            ModelServerClient.CHAT_LIMIT_BYTES,
            JsonNode.class);
    return EventSource.of(new OpenAiEvents().ofAnswer(answer, ask.request()));
  }

  @Override
  public boolean streams(boolean wanted) {
    return wanted || config.alwaysStreams();
  }

  /**
   * Asks for the usage, without which a stream is counted by its pieces; some servers refuse it.
   */
  private EventSource stream(ProviderRequest ask) throws ProviderException {
    long deadline = System.nanoTime() + ask.limit().toNanos();
    String model = ask.request().model();
    ObjectNode body = body(ask.request()).put("stream", true);
    if (refusingUsage.contains(model)) {
      body.remove("stream_options");
      return stream(body, ask.limit());
    }
    boolean ours = body.withObject("/stream_options").put("include_usage", true).size() == 1;
    try {
      return stream(body, ask.limit());
    } catch (ProviderException.Refused e) {
      if (!ours || !String.valueOf(e.getMessage()).contains("stream_options")) {
        throw e; // what one client sends must not change how others' streams are counted
      }
      body.remove("stream_options");
      Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
      EventSource answer = stream(body, left);
      if (refusingUsage.size() < MODELS_LIMIT) {
        refusingUsage.add(model);
      }
      return answer;
    }
  }

  private EventSource stream(ObjectNode body, Duration longest) throws ProviderException {
    Duration limit = ModelServerClient.shorter(config.firstTokenTimeout(), longest);
    ModelServerClient.Opened opened = http.post("/chat/completions", bytes(body), limit);
    return new OpenAiStream(opened.body(), opened.left(), config.betweenTokensTimeout());
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return UnsupportedFields.of(request.body(), fields);
  }

  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    ObjectNode body = request.body().deepCopy().put("model", request.model());
    body.put("encoding_format", "float");
    Duration limit = ModelServerClient.shorter(config.firstTokenTimeout(), request.limit());
    Vectors answer =
        http.json(
            "/embeddings",
            bytes(body),
            limit,
            ModelServerClient.VECTORS_LIMIT_BYTES,
            Vectors.class);
    if (answer.data() == null) {
      throw LineStream.notUnderstood(new IOException("no data in the answer"));
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

    /** Null if the server tells none; embeddings have no output, so the total will do. */
    @Nullable Integer input() {
      Integer told = promptTokens == null ? totalTokens : promptTokens;
      return told == null || told < 0 ? null : told;
    }
  }

  @Override
  public void close() {
    http.close();
  }

  /** What the client sent, faithfully, but for the model's name; a copy of the outermost level. */
  private static ObjectNode body(ChatRequest request) {
    ObjectNode body = JSON.createObjectNode();
    body.setAll(request.body());
    if (body.get("stream_options") instanceof ObjectNode options) {
      body.set("stream_options", options.deepCopy());
    }
    return body.put("model", request.model());
  }

  private static byte[] bytes(ObjectNode body) {
    try {
      return JSON.writeValueAsBytes(body);
    } catch (IOException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }
}
