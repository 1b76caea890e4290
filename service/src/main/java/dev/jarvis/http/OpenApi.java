package dev.jarvis.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.Json;
import io.helidon.http.Method;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Assembles the OpenAPI 3.1 document from the endpoints and their schemas. */
final class OpenApi {
  private static final String FRAME = "/http/openapi.json";
  private static final String REQUEST_ID =
      "#/components/headers/" + RequestIds.HEADER.defaultCase();

  private final SchemaResources resources;
  private final ObjectNode document;

  private OpenApi(List<Endpoint> endpoints, String version) {
    resources = new SchemaResources(limits(endpoints));
    document = resources.resource(FRAME);
    document.withObject("/info").put("version", version);
    endpoints.forEach(this::add);
    document
        .withObject("/components/schemas")
        .setAll(new TreeMap<String, JsonNode>(resources.schemas()));
  }

  /**
   * The document.
   *
   * @throws IllegalStateException if a schema is missing or no endpoint declares a limit in it
   */
  static ObjectNode document(List<Endpoint> endpoints, String version) {
    return new OpenApi(endpoints, version).document;
  }

  private static Map<String, Number> limits(List<Endpoint> endpoints) {
    Map<String, Number> limits = new TreeMap<>();
    endpoints.forEach(it -> limits.putAll(it.limits()));
    return limits;
  }

  private void add(Endpoint endpoint) {
    ObjectNode operation = endpoint.operation().deepCopy();
    if (endpoint.query() != null) {
      addQuery(endpoint.query(), operation);
    }
    for (JsonNode response : operation.path("responses")) {
      if (response instanceof ObjectNode success && !success.has("$ref")) {
        addHeaders(success);
      }
    }
    resources.resolve(operation, "/");
    operation.set("responses", sorted(operation.remove("responses"))); // last, for readers
    ObjectNode path = ((ObjectNode) document.get("paths")).withObjectProperty(endpoint.path());
    path.set(endpoint.method().text().toLowerCase(Locale.ROOT), operation);
    if (endpoint.method().equals(Method.GET)) {
      path.set("head", head(operation));
    }
  }

  private static ObjectNode sorted(JsonNode responses) {
    Map<String, JsonNode> byStatus = new TreeMap<>();
    responses.properties().forEach(it -> byStatus.put(it.getKey(), it.getValue()));
    ObjectNode sorted = Json.object();
    sorted.setAll(byStatus);
    return sorted;
  }

  private void addQuery(String schema, ObjectNode operation) {
    for (Map.Entry<String, JsonNode> property : properties(schema)) {
      ObjectNode type = property.getValue().deepCopy();
      JsonNode description = type.remove("description");
      ObjectNode parameter =
          operation.withArray("parameters").addObject().put("name", property.getKey());
      parameter.put("in", "query").set("description", description);
      parameter.set("schema", type);
    }
  }

  private void addHeaders(ObjectNode response) {
    JsonNode more = response.path("headers").path("$ref");
    ObjectNode headers = response.putObject("headers");
    headers.putObject(RequestIds.HEADER.defaultCase()).put("$ref", REQUEST_ID);
    if (more.isTextual()) {
      for (Map.Entry<String, JsonNode> property : properties(more.textValue())) {
        ObjectNode type = property.getValue().deepCopy();
        ObjectNode header = headers.putObject(property.getKey());
        header.set("description", type.remove("description"));
        header.set("schema", type);
      }
    }
  }

  private Iterable<Map.Entry<String, JsonNode>> properties(String path) {
    return resources.resource(path).path("properties").properties();
  }

  /** The same without contents. */
  private ObjectNode head(ObjectNode get) {
    ObjectNode head = get.deepCopy();
    head.put("operationId", get.path("operationId").asText() + "Head");
    for (Map.Entry<String, JsonNode> response : head.path("responses").properties()) {
      String error = response.getValue().path("$ref").asText();
      ObjectNode copy =
          error.isEmpty()
              ? (ObjectNode) response.getValue()
              : document.at(error.substring(1)).deepCopy();
      copy.remove("content");
      response.setValue(copy);
    }
    return head;
  }
}
