package dev.jarvis.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.SharedBuffers;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;

/** JSON as it leaves the service. */
public final class Json {
  private static final ObjectMapper MAPPER = SharedBuffers.mapper();

  private Json() {}

  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** The value in UTF-8. */
  public static byte[] bytes(JsonNode value) {
    try {
      return MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a value cannot be written: is it nested too deep?", e);
    }
  }

  /** Sends the value as the whole answer. */
  public static void send(ServerResponse response, JsonNode value) {
    response.header(HeaderNames.CONTENT_TYPE, "application/json");
    response.send(bytes(value));
  }
}
