package dev.jarvis.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialect;
import com.networknt.schema.dialect.Dialects;
import com.networknt.schema.keyword.NonValidationKeyword;
import com.networknt.schema.regex.JDKRegularExpressionFactory;
import dev.jarvis.error.ApiException;
import dev.jarvis.json.Json;
import io.helidon.common.uri.UriQuery;
import java.util.List;
import java.util.Map;

/** A compiled schema that checks bodies or queries of requests. Thread-safe. */
final class RequestSchema {
  private static final Dialect DIALECT =
      Dialect.builder(Dialects.getDraft202012())
          .keyword(new NonValidationKeyword(SchemaViolation.MESSAGE))
          .keyword(new NonValidationKeyword(SchemaViolation.CODE))
          .keyword(new NonValidationKeyword("components"))
          .build();

  /** Stops at the first error: a body's size must not multiply into errors. */
  private static final SchemaRegistryConfig CONFIG =
      SchemaRegistryConfig.builder()
          .failFast(true)
          .formatAssertionsEnabled(false)
          .regularExpressionFactory(JDKRegularExpressionFactory.getInstance())
          .build();

  private final ObjectNode root;
  private final Schema schema;

  private RequestSchema(ObjectNode root) {
    this.root = root;
    this.schema =
        SchemaRegistry.withDialect(DIALECT, it -> it.schemaRegistryConfig(CONFIG)).getSchema(root);
  }

  /**
   * The schema of JSON bodies.
   *
   * @param document an OpenAPI document
   * @param resource the schema's resource, of which the document has a component
   */
  static RequestSchema ofBody(ObjectNode document, String resource) {
    ObjectNode root = Json.object().put("$ref", SchemaResources.reference(resource));
    root.putObject("components").set("schemas", document.at("/components/schemas"));
    return new RequestSchema(root);
  }

  /** The schema of an object whose properties are the parameters of a query. */
  static RequestSchema ofQuery(ObjectNode schema) {
    return new RequestSchema(schema);
  }

  /**
   * Checks an object.
   *
   * @throws ApiException.InvalidRequest naming the first field that is wrong and what is allowed
   */
  void check(JsonNode object) {
    List<Error> errors = schema.validate(object);
    if (!errors.isEmpty()) {
      throw SchemaViolation.of(errors.getFirst(), root).toException();
    }
  }

  /**
   * Checks a query. Of a parameter that is there twice the first one counts; unknown ones are
   * ignored.
   *
   * @throws ApiException.InvalidRequest naming the first parameter that is wrong
   */
  void check(UriQuery query) {
    ObjectNode object = Json.object();
    for (Map.Entry<String, JsonNode> parameter : root.path("properties").properties()) {
      String text = query.first(parameter.getKey()).orElse(null);
      if (text == null) {
        continue;
      }
      if (text.indexOf('\0') >= 0) { // PostgreSQL has no text with it
        throw new ApiException.InvalidRequest(
            "'%s' contains the character NUL; it must not.".formatted(parameter.getKey()),
            parameter.getKey(),
            "invalid_value");
      }
      boolean number = parameter.getValue().path("type").asText().equals("integer");
      if (number && text.matches("-?\\d{1,18}")) {
        object.put(parameter.getKey(), Long.parseLong(text));
      } else {
        object.put(parameter.getKey(), text);
      }
    }
    check(object);
  }
}
