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
import java.util.List;

/** A compiled schema that checks JSON objects. Thread-safe. */
final class BodySchema {
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

  private BodySchema(ObjectNode root) {
    this.root = root;
    this.schema =
        SchemaRegistry.withDialect(DIALECT, it -> it.schemaRegistryConfig(CONFIG)).getSchema(root);
  }

  /**
   * Compiles a schema.
   *
   * @param document an OpenAPI document
   * @param resource of which one of the document's components was made
   */
  static BodySchema of(ObjectNode document, String resource) {
    ObjectNode root = Json.object().put("$ref", SchemaResources.reference(resource));
    root.putObject("components").set("schemas", document.at("/components/schemas"));
    return new BodySchema(root);
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
}
