package dev.jarvis.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.ApiException;
import dev.jarvis.http.Json;
import dev.jarvis.http.Routes;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.Models;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;

/** {@code GET /v1/models} and {@code GET /v1/models/{id}}. */
public final class ModelRoutes {
  private final Models models;

  /**
   * OpenAI's field {@code created}; the time of our start stands in for what model servers do not
   * tell.
   */
  private final long created = Instant.now().getEpochSecond();

  public ModelRoutes(Models models) {
    this.models = models;
  }

  public void register(Routes routes) {
    routes
        .get("/v1/models", Routes.Access.KEY, this::list)
        // "+": names such as hf.co/user/model have slashes
        .get("/v1/models/{+id}", Routes.Access.KEY, this::get);
  }

  static ApiException unknown(String model) {
    String shown = model.length() > 100 ? model.substring(0, 100) + "…" : model;
    return new ApiException.NotFound(
        "The model '%s' does not exist; GET /v1/models lists those that do.".formatted(shown),
        "model",
        "model_not_found");
  }

  private void list(ServerRequest request, ServerResponse response) {
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    models.list().forEach(it -> data.add(model(it)));
    Json.send(response, body);
  }

  private void get(ServerRequest request, ServerResponse response) {
    String id = request.path().pathParameters().get("id");
    try {
      Json.send(response, model(models.find(id).orElseThrow(() -> unknown(id))));
    } catch (ModelException e) {
      throw Generation.error(e);
    }
  }

  private ObjectNode model(Models.Target target) {
    return Json.object()
        .put("id", target.model())
        .put("object", "model")
        .put("created", created)
        .put("owned_by", target.provider().name());
  }
}
