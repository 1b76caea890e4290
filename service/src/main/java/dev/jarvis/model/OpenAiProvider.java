package dev.jarvis.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.model.ChatStream.Usage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Models of any server that speaks OpenAI's dialect, by {@code /models} and {@code
 * /chat/completions} below its base URL, which usually ends in {@code /v1}. It always streams.
 */
public final class OpenAiProvider implements ModelProvider {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final int LIST_LIMIT_BYTES = 4 << 20;
  private static final int MODELS_LIMIT = 1000;

  private final ModelServerConfig config;
  private final FieldPolicy fields;
  private final ModelHttp http;

  public OpenAiProvider(ModelServerConfig config) {
    this(config, FieldPolicy.DEFAULT);
  }

  /**
   * @param fields what the server does not get
   */
  public OpenAiProvider(ModelServerConfig config, FieldPolicy fields) {
    this.config = config;
    this.fields = fields;
    this.http = new ModelHttp(config);
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
  public List<String> models() throws ModelException {
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
  public ChatStream chat(ChatRequest request) throws ModelException {
    ModelHttp.Opened opened = http.post("/chat/completions", json(request));
    return new OpenAiStream(opened.body(), config.betweenTokensTimeout(), request.estimatedTokens())
        .awaitFirst(opened.left());
  }

  @Override
  public Shortfall shortfall(ChatRequest request) {
    return Shortfall.of(request.body(), fields);
  }

  @Override
  public Embeddings embed(EmbeddingRequest request) throws ModelException {
    ObjectNode body = request.body().deepCopy().put("model", request.model());
    body.put("encoding_format", "float");
    Vectors answer = http.json("/embeddings", bytes(body), request.limit(), Vectors.class);
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
    Usage usage = counted == null ? request.estimatedUsage() : new Usage(counted, 0);
    return new Embeddings(vectors, usage, null).checked(request);
  }

  @Override
  public Shortfall shortfall(EmbeddingRequest request) {
    return Shortfall.of(request.body(), fields);
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

  /** What the client sent, faithfully, but for the model's name, and always as a stream. */
  private static byte[] json(ChatRequest request) {
    ObjectNode body = request.body().deepCopy().put("model", request.model()).put("stream", true);
    body.putObject("stream_options").put("include_usage", true);
    return bytes(body);
  }

  private static byte[] bytes(ObjectNode body) {
    try {
      return JSON.writeValueAsBytes(body);
    } catch (IOException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }
}
