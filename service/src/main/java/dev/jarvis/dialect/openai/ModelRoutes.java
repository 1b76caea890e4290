package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Grants;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.json.Json;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.routing.Catalogue;
import dev.jarvis.routing.Router;
import dev.jarvis.routing.RoutingErrors;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import java.util.List;

/**
 * {@code GET /v1/models} and {@code GET /v1/models/{id}}: the providers' models, and the routes.
 */
public final class ModelRoutes {
  private static final String ROUTE_OWNER = "jarvis";

  private final Catalogue models;
  private final List<String> routes;

  /** OpenAI's field {@code created}: the start of the service, as model servers report no time. */
  private final long created = Instant.now().getEpochSecond();

  public ModelRoutes(Catalogue models, Router router) {
    this.models = models;
    this.routes = router.names();
  }

  public void register(Routes routes) {
    routes
        .add(
            Endpoint.get("/v1/models", Access.KEY)
                .operation(
                    "models", "listModels", "Lists the routes and models that the API key may use.")
                .answer(200, "All routes and models.", "dialect/openai/ModelList"),
            this::list)
        .add(
            // "+": names such as hf.co/user/model have slashes
            Endpoint.get("/v1/models/{+id}", Access.KEY)
                .operation("models", "retrieveModel", "Returns one route or model.")
                .path("id", "The name, which may contain slashes.")
                .answer(200, "The route or model.", "dialect/openai/Model")
                .errors(404, 502),
            this::get);
  }

  private void list(ServerRequest request, ServerResponse response) {
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    Grants grants = Exchange.of(request).principal().grants();
    routes.stream().filter(grants::allowsModel).forEach(it -> data.add(model(it, ROUTE_OWNER)));
    models.list().stream()
        .filter(it -> !routes.contains(it.model()) && grants.allowsModel(it.model()))
        .forEach(it -> data.add(model(it.model(), it.provider().name())));
    JsonResponse.send(response, body);
  }

  private void get(ServerRequest request, ServerResponse response) {
    String id = request.path().pathParameters().get("id");
    if (!Exchange.of(request).principal().grants().allowsModel(id)) {
      throw RoutingErrors.unknown(id);
    }
    if (routes.contains(id)) {
      JsonResponse.send(response, model(id, ROUTE_OWNER));
      return;
    }
    try {
      Catalogue.Target found =
          models.find(id).stream().findFirst().orElseThrow(() -> RoutingErrors.unknown(id));
      JsonResponse.send(response, model(found.model(), found.provider().name()));
    } catch (ProviderException e) {
      throw RoutingErrors.toClient(e);
    }
  }

  private ObjectNode model(String id, String owner) {
    return Json.object()
        .put("id", id)
        .put("object", "model")
        .put("created", created)
        .put("owned_by", owner);
  }
}
