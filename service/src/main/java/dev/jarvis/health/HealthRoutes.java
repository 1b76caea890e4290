package dev.jarvis.health;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.health.Health.State;
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
  /** The check without which there are no answers. */
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
        .get("/health", Routes.Access.METRICS_TOKEN, this::health)
        .get("/health/live", Routes.Access.METRICS_TOKEN, (req, res) -> probe(res, true))
        .get("/health/ready", Routes.Access.METRICS_TOKEN, (req, res) -> probe(res, ready()));
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
