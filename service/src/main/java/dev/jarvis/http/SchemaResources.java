package dev.jarvis.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The JSON schemas that endpoints refer to, each a resource below {@code dev/jarvis}. References
 * between them are relative, such as {@code ../../document/search/Grounding.json}; here they become
 * references to OpenAPI's components. Placeholders such as <code>${chat.max-tokens}</code> become
 * configured limits.
 */
final class SchemaResources {
  private static final String ROOT = "/dev/jarvis";
  private static final String COMPONENTS = "#/components/schemas/";
  private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([a-z0-9.-]+)}");
  private static final ObjectMapper MAPPER = SharedBuffers.mapper();

  private final Map<String, Number> limits;
  private final Map<String, String> paths = new TreeMap<>();
  private final Map<String, ObjectNode> schemas = new TreeMap<>();

  SchemaResources(Map<String, Number> limits) {
    this.limits = Map.copyOf(limits);
  }

  /** All schemas that were referred to, by their names. */
  Map<String, ObjectNode> schemas() {
    return schemas;
  }

  /** The reference to the component that a resource becomes. */
  static String reference(String path) {
    return COMPONENTS + name(path);
  }

  /** A resource with its references and placeholders resolved. */
  ObjectNode resource(String path) {
    ObjectNode resource = read(path);
    resolve(resource, path);
    return resource;
  }

  /**
   * Resolves references and placeholders within a tree.
   *
   * @param path of the resource that the tree is, or {@code /}
   */
  void resolve(JsonNode node, String path) {
    if (node instanceof ObjectNode object) {
      object.properties().forEach(it -> it.setValue(resolved(it.getKey(), it.getValue(), path)));
    } else if (node instanceof ArrayNode array) {
      array.forEach(it -> resolve(it, path));
    }
  }

  private JsonNode resolved(String key, JsonNode value, String path) {
    if (!value.isTextual()) {
      resolve(value, path);
      return value;
    }
    String text = value.textValue();
    if (key.equals("$ref") && !text.startsWith("#")) {
      return TextNode.valueOf(component(URI.create(path).resolve(text).getPath()));
    }
    Matcher placeholder = PLACEHOLDER.matcher(text);
    if (placeholder.matches()) {
      return LongNode.valueOf(limit(placeholder.group(1)).longValue());
    }
    return TextNode.valueOf(placeholder.replaceAll(it -> limit(it.group(1)).toString()));
  }

  private String component(String path) {
    String name = name(path);
    String known = paths.putIfAbsent(name, path);
    if (known == null) {
      ObjectNode schema = read(path);
      schemas.put(name, schema);
      resolve(schema, path);
    } else if (!known.equals(path)) {
      throw new IllegalStateException("%s and %s have the same name".formatted(known, path));
    }
    return COMPONENTS + name;
  }

  private Number limit(String key) {
    Number limit = limits.get(key);
    if (limit == null) {
      throw new IllegalStateException("no endpoint declares the limit '%s'".formatted(key));
    }
    return limit;
  }

  private static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1, path.lastIndexOf('.'));
  }

  private static ObjectNode read(String path) {
    try (InputStream in = SchemaResources.class.getResourceAsStream(ROOT + path)) {
      if (in == null) {
        throw new IllegalStateException("there is no resource %s%s".formatted(ROOT, path));
      }
      return (ObjectNode) MAPPER.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException("%s%s cannot be read".formatted(ROOT, path), e);
    }
  }
}
