package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Permission;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.RateGroup;
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
 * {@code POST /v1/routing/explain}: which target would answer a chat, and why; no model is called.
 * For the administrator, because it shows prices, load and providers.
 */
public final class RoutingRoutes {
  private final Router router;
  private final Admission admission;

  public RoutingRoutes(Router router, Admission admission) {
    this.router = router;
    this.admission = admission;
  }

  public void register(Routes routes) {
    routes.addJson(
        Endpoint.post("/v1/routing/explain", Access.ADMIN)
            .permission(Permission.ADMIN)
            .rateLimited(RateGroup.EXPLAIN)
            .operation(
                "models",
                "explainRouting",
                "Explains which target would answer a request, without calling one.")
            .body("dialect/openai/RoutingRequest")
            .answer(200, "The decision.", "dialect/openai/RoutingDecision")
            .errors(404, 502),
        this::explain);
  }

  private void explain(ObjectNode body, ServerRequest http, ServerResponse response) {
    ChatRequest request = ChatCompletionRequest.of(body).chat();
    try (Admission.Permit ignored = admission.acquire(String.valueOf(Exchange.of(http).userId()))) {
      Decision decision =
          router.decide(request).orElseThrow(() -> RoutingErrors.unknown(request.model()));
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
    node.put("context_window", observed.contextWindow());
    node.put("usd_per_million_tokens", it.cost());
    it.unsupported().refused().forEach(node.putArray("unsupported")::add);
    it.unsupported().ignored().forEach(node.putArray("ignored")::add);
    return node;
  }
}
