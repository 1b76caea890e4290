package dev.jarvis.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.json.Json;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;

/** Sends JSON responses. */
public final class JsonResponse {
  private JsonResponse() {}

  /** Sends the value as the body. */
  public static void send(ServerResponse response, JsonNode value) {
    response.header(HeaderNames.CONTENT_TYPE, "application/json");
    response.send(Json.bytes(value));
  }
}
