package dev.jarvis.provider;

import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.EmbeddingRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** A place where models run: a model server, or this process. Thread-safe. */
public interface Provider extends AutoCloseable {

  /** The provider's name, as routes and telemetry call it: {@code ollama}, {@code local}. */
  String name();

  /**
   * The names of the models that can be asked now. Asks the server; waits for the configured limit
   * at most.
   *
   * @throws ProviderException if the server cannot be asked
   */
  List<String> models() throws ProviderException;

  /** The most time that {@link #models} takes. */
  default Duration listTimeout() {
    return Duration.ZERO;
  }

  /**
   * Opens an answer. Returns once the server has accepted the request. The current OpenTelemetry
   * context travels to the server as {@code traceparent}; the answer, and waiting for it, ends with
   * the current {@link dev.jarvis.concurrent.Cancellation} scope.
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
   * Begins to measure, in the background, what only this provider has; to be closed.
   *
   * @param label the bounded label of a model's name
   */
  default AutoCloseable observe(UnaryOperator<String> label) {
    return () -> {};
  }

  /** A model of this provider was discovered: its series may show at 0. */
  default void discovered(String label) {}

  /** What of the request it cannot honour; asks no server for it. */
  UnsupportedFields unsupported(ChatRequest request);

  /**
   * Turns texts into vectors.
   *
   * @param label the model's label in metrics
   * @throws ProviderException as {@link #chat}
   */
  Embeddings embed(EmbeddingRequest request, String label) throws ProviderException;

  /** What of that request it cannot honour. */
  UnsupportedFields unsupported(EmbeddingRequest request);

  /** Whether the model is in memory, as seen lately; empty where that is not known. Never slow. */
  default Optional<Boolean> loaded(String model) {
    return Optional.empty();
  }

  @Override
  void close();
}
