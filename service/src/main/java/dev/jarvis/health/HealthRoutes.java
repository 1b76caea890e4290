package dev.jarvis.health;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.health.Health.State;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.json.Json;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Locale;
import java.util.Map;

/** {@code /health} for people, {@code /health/live} and {@code /health/ready} for orchestrators. */
public final class HealthRoutes {
  /** The check of the model servers: if it fails, no request can be answered. */
  public static final String MODELS = "ollama";

  private final Health health;
  private final String version;
  private final long startNanos = System.nanoTime();

  public HealthRoutes(Health health, String version) {
    this.health = health;
    this.version = version;
  }

  public void register(Routes routes) {
    routes
        .add(
            Endpoint.get("/health", Access.METRICS_TOKEN)
                .operation(
                    "operation",
                    "health",
                    "Reports the state of the service and of its dependencies.")
                .answer(200, "The service answers requests.", "health/Health")
                .answer(503, "No model server can be reached.", "health/Health"),
            this::health)
        .add(
            Endpoint.get("/health/live", Access.METRICS_TOKEN)
                .operation("operation", "live", "Reports whether the process is alive.")
                .answer(200, "The process is alive.", "health/ProbeUp"),
            (request, response) -> probe(response, true))
        .add(
            Endpoint.get("/health/ready", Access.METRICS_TOKEN)
                .operation(
                    "operation", "ready", "Reports whether this replica should get requests.")
                .answer(200, "The replica can answer requests.", "health/ProbeUp")
                .answer(
                    503,
                    "The replica should get no requests: no model server can be reached.",
                    "health/ProbeDown"),
            (request, response) -> probe(response, ready()));
  }

  private boolean ready() {
    return health.states().get(MODELS) == State.OK;
  }

  private void health(ServerRequest request, ServerResponse response) {
    Map<String, State> states = health.states();
    boolean all = states.values().stream().allMatch(it -> it == State.OK);
    boolean answers = states.get(MODELS) == State.OK;
    ObjectNode body =
        Json.object()
            .put("status", all ? "healthy" : answers ? "degraded" : "unhealthy")
            .put("version", version)
            .put("uptime_seconds", (System.nanoTime() - startNanos) / 1_000_000_000L);
    ObjectNode checks = body.putObject("checks");
    states.forEach((name, state) -> checks.put(name, state.name().toLowerCase(Locale.ROOT)));
    send(response, answers, body);
  }

  private static void probe(ServerResponse response, boolean up) {
    send(response, up, Json.object().put("status", up ? "up" : "down"));
  }

  private static void send(ServerResponse response, boolean up, ObjectNode body) {
    response.status(up ? Status.OK_200 : Status.SERVICE_UNAVAILABLE_503);
    response.header(HeaderNames.CACHE_CONTROL, "no-store");
    JsonResponse.send(response, body);
  }
}
