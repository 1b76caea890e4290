package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ModelServerErrors;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.provider.VectorList;
import dev.jarvis.provider.WholeAnswer;
import dev.jarvis.telemetry.Instruments;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

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

  /** Parts of the texts with which servers refuse {@code stream_options}. */
  private static final List<String> STREAM_OPTIONS =
      List.of(
          "stream_options",
          "include_usage",
          "extra_forbidden",
          "extra inputs are not permitted",
          "extra fields not permitted",
          ModelServerErrors.NO_REASON.toLowerCase(Locale.ROOT));

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
  public String type() {
    return FACTORY.type();
  }

  @Override
  public Duration listTimeout() {
    return config.listTimeout();
  }

  @Override
  public List<String> configuredModels() {
    return config.models();
  }

  @Override
  public ModelList models() throws ProviderException {
    return http.models(
        "/models", List.of("data", "models"), List.of("id", "name", "model"), windows::listed);
  }

  @Override
  public EventSource chat(ProviderRequest request) throws ProviderException {
    if (streams(request.streamed())) {
      return stream(request);
    }
    Duration limit = ModelServerClient.shorter(config.timeouts().answerTimeout(), request.limit());
    ObjectNode body = body(request.chat()).put("stream", false);
    body.remove("stream_options");
    WholeAnswer answer = http.answer("/chat/completions", Json.bytes(body), limit);
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
      if (!noOtherOptions || !mayBeAboutOptions(String.valueOf(e.getMessage()))) {
        throw e; // an option of one client must not turn off the usage for all
      }
      body.remove("stream_options");
      Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
      EventSource answer = stream(body, left);
      if (withoutUsage.size() < ModelList.LIMIT) {
        withoutUsage.add(model);
      }
      return answer;
    }
  }

  /** Whether a refusal names the field, or does not say what it is about. */
  private static boolean mayBeAboutOptions(String message) {
    String text = message.toLowerCase(Locale.ROOT);
    return STREAM_OPTIONS.stream().anyMatch(text::contains);
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
    VectorList answer =
        http.json(
            "/embeddings",
            Json.bytes(body),
            limit,
            ModelServerClient.VECTORS_LIMIT_BYTES,
            VectorList.class);
    List<float[]> vectors = answer.vectors(request);
    JsonNode usage = answer.fields().path("usage");
    // embeddings have no output, so the total is the same
    JsonNode count =
        usage.path(usage.hasNonNull("prompt_tokens") ? "prompt_tokens" : "total_tokens");
    return new Embeddings(vectors, VectorList.usage(count, request), null).checked(request);
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return UnsupportedFields.of(request.body(), fields);
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
