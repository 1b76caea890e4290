package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.json.Json;
import dev.jarvis.provider.Embeddings;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.FieldPolicy;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderFactory;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.provider.VectorList;
import dev.jarvis.telemetry.Instruments;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The models of an Ollama server, through its own API. */
public final class OllamaProvider implements Provider {
  /** The factory of the type {@code ollama}. */
  public static final ProviderFactory FACTORY =
      new ProviderFactory() {
        @Override
        public String type() {
          return "ollama";
        }

        @Override
        public Provider open(ModelServerConfig config, Instruments instruments) {
          return new OllamaProvider(config, instruments);
        }
      };

  private static final String THINK = "think";

  private final ModelServerConfig config;
  private final FieldPolicy fields;
  private final ModelServerClient http;
  private final Instruments instruments;
  private final OllamaTelemetry telemetry;

  /** Labels of the models that were discovered at this provider. */
  private final Set<String> labels = ConcurrentHashMap.newKeySet();

  private final OllamaModels models;
  private volatile @Nullable Set<String> inMemory;

  /** Whether the server may know levels of thinking; old versions only know whether. */
  private volatile boolean thinksInLevels = true;

  public OllamaProvider(ModelServerConfig config, Instruments instruments) {
    this.config = config;
    this.fields = config.fields();
    this.http = new ModelServerClient(config);
    this.models = new OllamaModels(http, config.listTimeout());
    this.instruments = instruments;
    this.telemetry = new OllamaTelemetry(instruments, config.name());
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
        "/api/tags", List.of("models", "data"), List.of("name", "model", "id"), models::listed);
  }

  /**
   * The models that are in the server's memory now. Asks the server, within the configured limit.
   */
  List<ResidentModel> resident() throws ProviderException {
    inMemory = null; // unknown if the request fails
    List<ResidentModel> resident =
        http.named("/api/ps", "models", "name").stream().map(ResidentModel::of).toList();
    inMemory = resident.stream().map(ResidentModel::name).collect(Collectors.toUnmodifiableSet());
    return resident;
  }

  /** The result of the last {@link #resident}. */
  @Override
  public Optional<Boolean> loaded(String model) {
    Set<String> names = inMemory;
    return names == null ? Optional.empty() : Optional.of(names.contains(model));
  }

  @Override
  public EventSource chat(ProviderRequest request) throws ProviderException {
    ChatRequest chat = request.chat();
    ObjectNode body = OllamaRequest.body(chat, streams(request.streamed()));
    if (request.uncut()) {
      body.put("truncate", false); // refuses a prompt that is too long; ignored before 0.12
    }
    OllamaFields.add(
        body, chat, config.loading(), models.trained(chat.model()), models.thinks(chat.model()));
    if (body.path(THINK).isTextual() && !thinksInLevels) {
      body.put(THINK, true);
    }
    EventSource answer;
    try {
      answer = send(request, body);
    } catch (ProviderException.Refused e) {
      if (!body.path(THINK).isTextual() || !String.valueOf(e.getMessage()).contains("bool")) {
        throw e;
      }
      answer = send(request, body.put(THINK, true));
      thinksInLevels = false;
    }
    if (OllamaFields.numCtx(chat, config.loading()) == 0) {
      models.loadedByDefault(chat.model());
    }
    return answer;
  }

  private EventSource send(ProviderRequest request, ObjectNode json) throws ProviderException {
    boolean streams = json.path("stream").asBoolean();
    byte[] body = Json.bytes(json);
    OllamaEvents events = new OllamaEvents(telemetry.of(request.label()));
    if (!streams) {
      Duration limit =
          ModelServerClient.shorter(config.timeouts().answerTimeout(), request.limit());
      return EventSource.of(events.ofAnswer(http.answer("/api/chat", body, limit), request.chat()));
    }
    ModelServerClient.Opened opened =
        http.post(
            "/api/chat",
            body,
            ModelServerClient.shorter(config.timeouts().firstTokenTimeout(), request.limit()));
    return new OllamaStream(
        opened.body(), opened.left(), config.timeouts().betweenTokensTimeout(), events);
  }

  @Override
  public boolean streams(boolean wanted) {
    return wanted || config.alwaysStreams();
  }

  @Override
  public AutoCloseable observe(UnaryOperator<String> label) {
    return new ResidentModels(this, label, labels, instruments);
  }

  @Override
  public void discovered(String label) {
    labels.add(label);
    telemetry.announce(label);
  }

  @Override
  public UnsupportedFields unsupported(ChatRequest request) {
    return OllamaRequest.unsupported(request, fields, models.thinks(request.model()));
  }

  @Override
  public OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
    return models.window(chat.model(), OllamaFields.numCtx(chat, config.loading()), configured);
  }

  /** Drops the oldest messages and, if that is not enough, the beginning of the prompt. */
  @Override
  public boolean cutsPrompts() {
    return true;
  }

  @Override
  public Embeddings embed(EmbeddingRequest request, String label) throws ProviderException {
    Duration limit =
        ModelServerClient.shorter(config.timeouts().firstTokenTimeout(), request.limit());
    byte[] body = OllamaRequest.json(request);
    VectorList answer =
        http.json(
            "/api/embed", body, limit, ModelServerClient.VECTORS_LIMIT_BYTES, VectorList.class);
    List<float[]> vectors = answer.vectors(request);
    JsonNode fields = answer.fields();
    Duration load = Duration.ofNanos(Math.max(0, fields.path("load_duration").asLong()));
    Duration total = Duration.ofNanos(Math.max(0, fields.path("total_duration").asLong()));
    Timings timings = new Timings(load, total.minus(load), Duration.ZERO);
    telemetry.of(label).answered(timings, 0);
    Usage usage =
        VectorList.usage(fields.path("prompt_eval_count"), request); // not in old versions
    return new Embeddings(vectors, usage, timings).checked(request);
  }

  @Override
  public UnsupportedFields unsupported(EmbeddingRequest request) {
    return UnsupportedFields.of(request, fields);
  }

  @Override
  public void close() {
    http.close();
  }
}
