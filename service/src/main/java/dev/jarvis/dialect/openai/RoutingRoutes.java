package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Fields;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.json.Json;
import dev.jarvis.limit.Admission;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.routing.Decision;
import dev.jarvis.routing.Decision.Option;
import dev.jarvis.routing.Router;
import dev.jarvis.routing.RoutingErrors;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;

/**
 * {@code POST /v1/routing/explain}: who would answer a request, and why; no model is asked. The
 * body is that of a chat, of which {@code model} is enough. For the administrator: it shows prices,
 * load and providers.
 */
public final class RoutingRoutes {
  private final ChatConfig config;
  private final JsonBody bodies;
  private final Router router;
  private final Admission admission;

  public RoutingRoutes(ChatConfig config, JsonBody bodies, Router router, Admission admission) {
    this.admission = admission;
    this.config = config;
    this.bodies = bodies;
    this.router = router;
  }

  public void register(Routes routes) {
    routes.post("/v1/routing/explain", Routes.Access.ADMIN, this::explain);
  }

  private void explain(ServerRequest http, ServerResponse response) {
    ObjectNode body = bodies.object(http);
    String model = new Fields(body).requiredText("model");
    if (body.has("messages")) {
      ChatCompletionRequest.parse(body, config.maxMessages(), config.maxTokens());
    }
    ChatRequest request = new ChatRequest(model, body);
    try (Admission.Permit ignored = admission.acquire(String.valueOf(Exchange.of(http).userId()))) {
      Decision decision =
          router
              .decide(model, it -> it.unsupported(request))
              .orElseThrow(() -> RoutingErrors.unknown(model));
      JsonResponse.send(response, body(decision));
    } catch (ProviderException e) {
      throw RoutingErrors.toClient(e);
    }
  }

  private static ObjectNode body(Decision decision) {
    ObjectNode body =
        Json.object()
            .put("object", "routing.decision")
            .put("route", decision.route())
            .put("strategy", decision.strategy().id());
    List<Option> order = decision.order();
    ArrayNode options = body.putArray("targets");
    decision.options().forEach(it -> options.add(option(it, order.indexOf(it) + 1)));
    return body;
  }

  private static ObjectNode option(Option it, int position) {
    ObjectNode node =
        Json.object()
            .put("provider", it.target().provider().name())
            .put("model", it.target().model())
            .put("chosen", position == 1)
            .put("reason", it.reason().id());
    node.put("order", position == 0 ? null : Integer.valueOf(position));
    Decision.Observed observed = it.observed();
    node.put("priority", it.priority()).put("weight", it.weight()).put("busy", observed.busy());
    node.put(
        "time_to_first_token_ms",
        observed.firstToken() == null ? null : Long.valueOf(observed.firstToken().toMillis()));
    node.put("loaded", observed.loaded());
    node.put("usd_per_million_tokens", it.cost());
    it.unsupported().refused().forEach(node.putArray("unsupported")::add);
    it.unsupported().ignored().forEach(node.putArray("ignored")::add);
    return node;
  }
}
