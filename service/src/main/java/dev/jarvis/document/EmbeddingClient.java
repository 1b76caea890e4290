package dev.jarvis.document;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.VectorAnswer;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Computes vectors for documents and searches, through the same pipeline as clients' calls. */
public final class EmbeddingClient implements Embedder {
  private final Supplier<Pipeline> pipeline;
  private final Function<String, @Nullable String> teams;
  private final String model;
  private final @Nullable EmbeddingWindow window;

  /**
   * @param pipeline supplied late, because its stage for grounding needs this client
   * @param teams returns the team of a user
   * @param model name of a model or a route
   * @param window what the model reads; null if it is not known
   */
  public EmbeddingClient(
      Supplier<Pipeline> pipeline,
      Function<String, @Nullable String> teams,
      String model,
      @Nullable EmbeddingWindow window) {
    this.pipeline = pipeline;
    this.teams = teams;
    this.model = model;
    this.window = window;
  }

  @Override
  public @Nullable EmbeddingWindow window() {
    return window;
  }

  @Override
  public Vectors embed(
      List<String> texts,
      Payer payer,
      String requestId,
      @Nullable String onlyModel,
      @Nullable Duration limit) {
    ObjectNode body = Json.object().put("model", model);
    texts.forEach(body.putArray("input")::add);
    EmbeddingRequest request = new EmbeddingRequest(model, body, onlyModel, limit);
    Call call =
        Call.of(UuidV7.next(), requestId, caller(payer), request, false, "")
            .below(payer.parentId());
    try (Answer answer = pipeline.get().run(call)) {
      String target = answer.head().target().model();
      return new Vectors(target, VectorAnswer.of(answer).vectors());
    }
  }

  private Caller caller(Payer payer) {
    return payer.caller() == null
        ? Caller.service(payer.userId(), teams.apply(payer.userId()))
        : Caller.serviceFor(payer.caller());
  }
}
