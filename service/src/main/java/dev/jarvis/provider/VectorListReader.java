package dev.jarvis.provider;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import dev.jarvis.provider.VectorList.Item;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads vectors one number at a time, because in a tree each number would be an object. The list
 * stands in {@code data} (OpenAI) or {@code embeddings} (Ollama), or is the whole answer (TEI,
 * llama.cpp); its elements are vectors, or objects that hold one.
 */
final class VectorListReader extends JsonDeserializer<VectorList> {
  private static final Set<String> LISTS = Set.of("data", "embeddings");
  private static final Set<String> FIELDS =
      Set.of(
          "usage",
          "error",
          "object",
          "type",
          "message",
          "detail",
          "code",
          "status",
          "request_id",
          "prompt_eval_count",
          "load_duration",
          "total_duration");

  /** A field that has more is no count and no error. */
  private static final int FIELD_TOKENS = 1_000;

  @Override
  public VectorList deserialize(JsonParser json, DeserializationContext context)
      throws IOException {
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    if (json.currentToken() == JsonToken.START_ARRAY) {
      return new VectorList(items(json), fields);
    }
    List<Item> items = null;
    if (json.currentToken() == JsonToken.START_OBJECT) {
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        if (LISTS.contains(name) && json.currentToken() == JsonToken.START_ARRAY) {
          items = items(json);
        } else if (FIELDS.contains(name)) {
          fields.set(name, tree(json));
        } else {
          json.skipChildren();
        }
      }
    }
    return new VectorList(items, fields);
  }

  private static List<Item> items(JsonParser json) throws IOException {
    List<Item> items = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      items.add(
          json.currentToken() == JsonToken.START_OBJECT ? item(json) : VectorReader.read(json));
    }
    return items;
  }

  private static Item item(JsonParser json) throws IOException {
    Integer index = null;
    Item vector = new Item(null, null, null);
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      if (name.equals("index")) {
        index = index(json);
      } else if (name.equals("embedding")) {
        vector = VectorReader.read(json);
      } else {
        json.skipChildren();
      }
    }
    return new Item(index, vector.numbers(), vector.problem());
  }

  private static @Nullable Integer index(JsonParser json) throws IOException {
    boolean number = json.currentToken() == JsonToken.VALUE_NUMBER_INT;
    json.skipChildren();
    return number ? (Integer) Math.clamp(json.getLongValue(), -1, Integer.MAX_VALUE) : null;
  }

  private static JsonNode tree(JsonParser json) throws IOException {
    try (TokenBuffer buffer = new TokenBuffer(json)) {
      int depth = 0;
      int tokens = 0;
      do {
        JsonToken token = json.currentToken();
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        buffer.copyCurrentEvent(json);
        if (++tokens > FIELD_TOKENS) {
          throw new IOException("a field of the answer has more than 1000 values");
        }
      } while (depth > 0 && json.nextToken() != null);
      try (JsonParser copy = buffer.asParser(json.getCodec())) {
        copy.nextToken();
        return copy.readValueAsTree();
      }
    }
  }
}
