package dev.jarvis.model;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A place where models run: a model server, or this process. Thread-safe. */
public interface ModelProvider extends AutoCloseable {

  /** The provider's name, as routes and telemetry call it: {@code ollama}, {@code local}. */
  String name();

  /**
   * The names of the models that can be asked now. Asks the server; waits for the configured limit
   * at most.
   *
   * @throws ModelException if the server cannot be asked
   */
  List<String> models() throws ModelException;

  /** The most time that {@link #models} takes. */
  default Duration listTimeout() {
    return Duration.ZERO;
  }

  /**
   * Opens an answer. Returns once the server has accepted the request, so that what can fail early
   * fails here. The current OpenTelemetry context travels to the server as {@code traceparent}.
   *
   * @throws ModelException if the model is unknown there, or the server is down, slow or busy
   */
  ChatStream chat(ChatRequest request) throws ModelException;

  /** What of the request it cannot honour; asks no server for it. */
  Shortfall shortfall(ChatRequest request);

  /**
   * Turns texts into vectors.
   *
   * @throws ModelException as {@link #chat}
   */
  Embeddings embed(EmbeddingRequest request) throws ModelException;

  /** What of that request it cannot honour. */
  Shortfall shortfall(EmbeddingRequest request);

  /** Whether the model is in memory, as seen lately; empty where that is not known. Never slow. */
  default Optional<Boolean> loaded(String model) {
    return Optional.empty();
  }

  @Override
  void close();
}
