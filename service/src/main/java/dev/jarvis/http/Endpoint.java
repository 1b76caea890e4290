package dev.jarvis.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Permission;
import dev.jarvis.json.Json;
import io.helidon.http.Method;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One method of one path: who may use it, what it takes and what it answers. {@link Routes} serves
 * it, {@link OpenApi} describes it, and {@link RequestSchema} checks its requests.
 *
 * <p>Schemas are resources below {@code dev/jarvis}, named by their path there without the
 * extension: {@code "document/File"} is {@code dev/jarvis/document/File.json}.
 */
public final class Endpoint {
  private static final String JSON = "application/json";

  private final Method method;
  private final String template;
  private final ObjectNode operation = Json.object();
  private final Map<String, Number> limits = new LinkedHashMap<>();
  private final Access access;
  private @Nullable Permission permission;
  private @Nullable RateGroup rateGroup;
  private @Nullable String body;
  private @Nullable String query;

  private Endpoint(Method method, String template, Access access) {
    this.method = method;
    this.template = template;
    this.access = access;
    errors(400, 405, 500);
    switch (access) {
      case ANYBODY -> operation.putArray("security");
      case KEY -> errors(401);
      case ADMIN -> {
        errors(401, 403);
        rateLimited(RateGroup.ADMIN);
      }
      case METRICS_TOKEN -> {
        errors(401);
        ArrayNode either = operation.putArray("security");
        either.addObject();
        either.addObject().putArray("metricsToken");
      }
    }
  }

  /** An endpoint for {@code GET}, and for {@code HEAD}, whose response has no body. */
  public static Endpoint get(String template, Access access) {
    return new Endpoint(Method.GET, template, access);
  }

  public static Endpoint post(String template, Access access) {
    return new Endpoint(Method.POST, template, access);
  }

  public static Endpoint patch(String template, Access access) {
    return new Endpoint(Method.PATCH, template, access);
  }

  public static Endpoint delete(String template, Access access) {
    return new Endpoint(Method.DELETE, template, access);
  }

  /**
   * Names the operation.
   *
   * @param id unique, for generated clients
   * @param summary one sentence
   */
  public Endpoint operation(String tag, String id, String summary) {
    operation.put("operationId", id).put("summary", summary);
    operation.putArray("tags").add(tag);
    return this;
  }

  /** Only for clients whose key has a permission, where it is restricted. */
  public Endpoint permission(Permission required) {
    permission = required;
    RateGroup group = RateGroup.of(required);
    if (group != null && rateGroup == null) {
      rateLimited(group);
    }
    return errors(403);
  }

  /**
   * Chooses the limit of its requests, where the one of its permission does not fit: endpoints for
   * administrators, files and searches have one without this.
   */
  public Endpoint rateLimited(RateGroup group) {
    rateGroup = group;
    return errors(429);
  }

  /** Describes a parameter of the template. */
  public Endpoint path(String name, String description) {
    parameter("path", name, description)
        .put("required", true)
        .putObject("schema")
        .put("type", "string")
        .put("minLength", 1);
    return this;
  }

  /** Describes an optional request header. */
  public Endpoint header(String name, String description) {
    parameter("header", name, description).putObject("schema").put("type", "string");
    return this;
  }

  /**
   * The parameters of the query.
   *
   * @param schema of an object whose properties are the parameters
   */
  public Endpoint query(String schema) {
    query = resource(schema);
    return this;
  }

  /** The JSON object that is sent. */
  public Endpoint body(String schema) {
    body = resource(schema);
    return body(JSON, schema);
  }

  /** The body that is sent, if it is not JSON; it is described, but not checked. */
  public Endpoint body(String mediaType, String schema) {
    operation
        .putObject("requestBody")
        .put("required", true)
        .putObject("content")
        .putObject(mediaType)
        .set("schema", ref(schema));
    return errors(408, 413, 415, 503);
  }

  /** A configured limit, for the placeholders <code>${key}</code> of schemas and descriptions. */
  public Endpoint limit(String key, Number value) {
    limits.put(key, value);
    return this;
  }

  /** A JSON response. */
  public Endpoint answer(int status, String description, String schema) {
    content(status, description, JSON).set("schema", ref(schema));
    return this;
  }

  /** The successful response as server-sent events. */
  public Endpoint events(String example) {
    response(200).withObject("/content").putObject("text/event-stream").put("example", example);
    return this;
  }

  /** A text response. */
  public Endpoint text(int status, String description, String mediaType) {
    content(status, description, mediaType).putObject("schema").put("type", "string");
    return this;
  }

  /** A binary response. */
  public Endpoint binary(int status, String description, String mediaType) {
    content(status, description, mediaType)
        .putObject("schema")
        .put("type", "string")
        .put("format", "binary");
    return this;
  }

  /**
   * The headers of the successful response, beside those of every response.
   *
   * @param schema of an object whose properties are the headers
   */
  public Endpoint responseHeaders(String schema) {
    response(200).set("headers", ref(schema));
    return this;
  }

  /** Errors that it answers with, beside those of every endpoint of its kind. */
  public Endpoint errors(int... statuses) {
    for (int status : statuses) {
      operation
          .withObject("/responses")
          .putObject(Integer.toString(status))
          .put("$ref", "#/components/responses/Error" + status);
    }
    return this;
  }

  Method method() {
    return method;
  }

  String template() {
    return template;
  }

  /** The template as OpenAPI and telemetry write it. */
  String path() {
    return template.replace("{+", "{");
  }

  Access access() {
    return access;
  }

  @Nullable Permission permission() {
    return permission;
  }

  /** Null if its requests call models, which have limits of their own, or cost nothing. */
  @Nullable RateGroup rateGroup() {
    return rateGroup;
  }

  /** The resource of the schema of the JSON body. */
  @Nullable String body() {
    return body;
  }

  /** The resource of the schema of the query. */
  @Nullable String query() {
    return query;
  }

  Map<String, Number> limits() {
    return limits;
  }

  /** The operation as OpenAPI describes it; references to schemas are their resources. */
  ObjectNode operation() {
    return operation;
  }

  private ObjectNode parameter(String in, String name, String description) {
    return operation
        .withArray("parameters")
        .addObject()
        .put("name", name)
        .put("in", in)
        .put("description", description);
  }

  private ObjectNode content(int status, String description, String mediaType) {
    ObjectNode response = response(status).put("description", description);
    return response.withObject("/content").putObject(mediaType);
  }

  private ObjectNode response(int status) {
    return operation.withObject("/responses/" + status);
  }

  private static ObjectNode ref(String schema) {
    return Json.object().put("$ref", resource(schema));
  }

  private static String resource(String schema) {
    return "/" + schema + ".json";
  }
}
