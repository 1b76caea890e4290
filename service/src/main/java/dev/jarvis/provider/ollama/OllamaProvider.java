package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
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

  private final ModelServerConfig config;
  private final FieldPolicy fields;
  private final ModelServerClient http;
  private final Instruments instruments;
  private final OllamaTelemetry telemetry;

  /** Labels of the models that were discovered at this provider. */
  private final Set<String> labels = ConcurrentHashMap.newKeySet();

  private volatile @Nullable Set<String> inMemory;

  public OllamaProvider(ModelServerConfig config, Instruments instruments) {
    this.config = config;
    this.fields = config.fields();
    this.http = new ModelServerClient(config);
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
    return http.models("/api/tags", List.of("models", "data"), List.of("name", "model", "id"));
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
    boolean streams = streams(request.streamed());
    byte[] body = OllamaRequest.json(request.chat(), streams);
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
    return OllamaRequest.unsupported(request, fields);
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
