package dev.jarvis.provider;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/** Runs models: a model server, or this process. Thread-safe. */
public interface Provider extends AutoCloseable {

  /** The provider's name in routes and telemetry, for example {@code ollama}. */
  String name();

  /** The kind of provider, for example {@code openai}. */
  String type();

  /**
   * The models that are available now. Asks the server, within the configured limit.
   *
   * @throws ProviderException if the server does not answer; {@link ProviderException.Busy} if it
   *     answers, but not now
   */
  ModelList models() throws ProviderException;

  /** The models that the configuration names, which exist whatever the server lists. */
  default List<String> configuredModels() {
    return List.of();
  }

  /** The maximum time that {@link #models} takes. */
  default Duration listTimeout() {
    return Duration.ZERO;
  }

  /**
   * Opens an answer. Returns once the server has accepted the request. The current OpenTelemetry
   * context is sent to the server as {@code traceparent}; the call and its answer end with the
   * current {@link dev.jarvis.concurrent.Cancellation} scope.
   *
   * @throws ProviderException if the model is unknown there, or the server is down, slow or busy
   */
  EventSource chat(ProviderRequest ask) throws ProviderException;

  /**
   * Whether the model server is asked for a stream.
   *
   * @param wanted whether the client wants one
   */
  default boolean streams(boolean wanted) {
    return wanted;
  }

  /**
   * Starts the background measurements of this kind of provider; the result must be closed.
   *
   * @param label returns the label of a model's name: bounded, unlike the name
   */
  default AutoCloseable observe(UnaryOperator<String> label) {
    return () -> {};
  }

  /** Called when a model of this provider was discovered, to show its series at 0. */
  default void discovered(String label) {}

  /**
   * The fields of the request that this provider cannot honour; does not ask the server.
   *
   * @param request with the model's name at the provider
   */
  UnsupportedFields unsupported(ChatRequest request);

  /**
   * Embeds texts.
   *
   * @param label the model's label in metrics
   * @throws ProviderException as {@link #chat}
   */
  Embeddings embed(EmbeddingRequest request, String label) throws ProviderException;

  /** The fields of the request that this provider cannot honour; does not ask the server. */
  UnsupportedFields unsupported(EmbeddingRequest request);

  /**
   * The maximum number of tokens of a prompt and its answer together; empty if not known. Never
   * slow.
   *
   * @param chat with the model's name at the provider; it may choose the window
   * @param configured as the operator configured it for this model
   */
  default OptionalInt contextWindow(ChatRequest chat, OptionalInt configured) {
    return configured;
  }

  /** Whether the server cuts prompts that do not fit the context window, without saying so. */
  default boolean cutsPrompts() {
    return false;
  }

  /** Whether the model was in memory recently; empty if not known. Never slow. */
  default Optional<Boolean> loaded(String model) {
    return Optional.empty();
  }

  @Override
  void close();
}
