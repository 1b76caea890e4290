package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the lists of models that servers send: an array of objects or of names, in a field or by
 * itself.
 *
 * @param arrays the fields that may hold the array, the usual one first
 * @param names the fields of an entry that may hold the name, the usual one first
 */
record ModelListReader(List<String> arrays, List<String> names) {

  /**
   * The models in the response to a request for the list. Entries without a name are ignored; a
   * response without an array is a server without models if it is empty or its array is null.
   *
   * @throws ProviderException if the response reports an error
   */
  ModelList read(JsonNode response) throws ProviderException {
    JsonNode entries = entries(response);
    if (entries.isArray()) {
      return names(entries);
    }
    ServerError error = ServerError.in(response);
    if (error != null) {
      throw new ProviderException.Unavailable(
          "The model server reported an error instead of its list of models.",
          new IOException(Masking.forLog(error.text())));
    }
    boolean empty =
        response.isNull()
            || (response.isObject() && response.isEmpty())
            || arrays.stream().anyMatch(response::has)
            || response.path("object").asText().equals("list");
    return empty
        ? ModelList.listed(List.of())
        : ModelList.none("The server answered the request for its models without a list of them.");
  }

  /** The entries that are objects with the usual field for the name. */
  List<JsonNode> named(JsonNode response) {
    return entries(response)
        .valueStream()
        .filter(it -> it.path(names.getFirst()).isTextual())
        .limit(ModelList.LIMIT)
        .toList();
  }

  private ModelList names(JsonNode entries) {
    List<String> found = new ArrayList<>();
    int ignored = 0;
    for (JsonNode entry : entries) {
      String name = name(entry);
      if (name.isBlank()) {
        ignored++;
      } else {
        found.add(name);
      }
    }
    return ModelList.listed(found, ignored);
  }

  /** The first array that is not empty, else the first; a missing node if there is none. */
  private JsonNode entries(JsonNode response) {
    if (response.isArray()) {
      return response;
    }
    List<JsonNode> found =
        arrays.stream().<JsonNode>map(response::path).filter(JsonNode::isArray).toList();
    return found.stream()
        .filter(it -> !it.isEmpty())
        .findFirst()
        .orElse(found.isEmpty() ? response.path(-1) : found.getFirst());
  }

  /** Empty if there is none. */
  private String name(JsonNode entry) {
    if (entry.isTextual()) {
      return entry.textValue();
    }
    return names.stream()
        .map(it -> entry.path(it))
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue)
        .filter(it -> !it.isBlank())
        .findFirst()
        .orElse("");
  }
}
