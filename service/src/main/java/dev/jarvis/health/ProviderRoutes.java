package dev.jarvis.health;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Permission;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.json.Json;
import dev.jarvis.provider.ModelList;
import dev.jarvis.routing.Catalogue;
import dev.jarvis.routing.ProviderState;
import dev.jarvis.routing.Router;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /health/providers}: the state of each model provider, by its last listing; never slow.
 * For the administrator, because it shows the providers and their faults.
 */
public final class ProviderRoutes {
  private final Catalogue models;
  private final Router router;

  public ProviderRoutes(Catalogue models, Router router) {
    this.models = models;
    this.router = router;
  }

  public void register(Routes routes) {
    routes.add(
        Endpoint.get("/health/providers", Access.ADMIN)
            .permission(Permission.ADMIN)
            .operation(
                "operation",
                "providers",
                "Reports the state of each model provider, and how its models are known.")
            .answer(200, "The providers, whether up or down.", "health/Providers"),
        this::list);
  }

  private void list(ServerRequest request, ServerResponse response) {
    Instant now = Instant.now();
    Map<Catalogue.Target, Boolean> circuits = router.circuits();
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    models.states().forEach(it -> data.add(provider(it, now, circuits)));
    response.header(HeaderNames.CACHE_CONTROL, "no-store");
    JsonResponse.send(response, body);
  }

  private static ObjectNode provider(
      ProviderState state, Instant now, Map<Catalogue.Target, Boolean> circuits) {
    ModelList list = state.models();
    Duration took = state.took();
    ObjectNode json =
        Json.object()
            .put("name", state.provider().name())
            .put("type", state.provider().type())
            .put("state", state.up() ? "up" : "down")
            .put("reason", state.reason())
            .put("since", time(state.since()))
            .put("since_ms_ago", age(state.since(), now))
            .put("checked_at", time(state.checked()))
            .put("checked_ms_ago", age(state.checked(), now))
            .put("check_duration_ms", took == null ? null : Long.valueOf(took.toMillis()))
            .put("models", list.names().size())
            .put("models_source", list.source().name().toLowerCase(Locale.ROOT))
            .put("models_truncated", list.truncated());
    state.notices().forEach(json.putArray("notices")::add);
    ArrayNode open = json.putArray("open_circuits");
    TreeSet<String> names = new TreeSet<>();
    circuits.forEach(
        (target, isOpen) -> {
          if (isOpen && target.provider() == state.provider()) {
            names.add(target.model());
          }
        });
    names.forEach(open::add);
    return json;
  }

  private static @Nullable String time(@Nullable Instant at) {
    return at == null ? null : at.truncatedTo(ChronoUnit.MILLIS).toString();
  }

  private static @Nullable Long age(@Nullable Instant at, Instant now) {
    return at == null ? null : Math.max(0, Duration.between(at, now).toMillis());
  }
}
