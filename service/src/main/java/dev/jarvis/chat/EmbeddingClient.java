package dev.jarvis.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Embedder;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Json;
import dev.jarvis.http.RequestIds;
import dev.jarvis.model.Decision;
import dev.jarvis.model.EmbeddingRequest;
import dev.jarvis.model.Embeddings;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Vectors for the service's own use, asked for as a client would: routed, counted, and with a row
 * of the ledger for each request.
 */
public final class EmbeddingClient implements Embedder {
  private final Gateway gateway;
  private final String model;

  /**
   * @param model name of a model or a route
   */
  public EmbeddingClient(Gateway gateway, String model) {
    this.gateway = gateway;
    this.model = model;
  }

  @Override
  public Vectors embed(
      List<String> texts, String userId, String requestId, @Nullable Duration limit) {
    ObjectNode body = Json.object().put("model", model);
    texts.forEach(body.putArray("input")::add);
    EmbeddingRequest request = new EmbeddingRequest(model, body, limit);
    Exchange exchange = new Exchange(RequestIds.next(), requestId, "", "", "", userId, "");
    try (ClientWatch nobody = new ClientWatch();
        Admission.Turn ignored = gateway.admit(nobody)) {
      Decision decision = gateway.decide(model, it -> it.shortfall(request));
      RoutingTelemetry routing = gateway.routing(exchange);
      Attempts<Embeddings> attempts =
          gateway.attempts(EmbeddingRoutes.OPERATION, routing, it -> {});
      routing.decided(decision);
      Embeddings answer =
          EmbeddingRoutes.ask(
              request,
              decision,
              attempts,
              gateway.settlement(EmbeddingRoutes.OPERATION, exchange, nobody));
      return new Vectors(attempts.made().target().model(), answer.vectors());
    }
  }
}
