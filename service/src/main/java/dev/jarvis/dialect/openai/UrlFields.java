package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds the URLs that a request gives to a model server to fetch: in messages, and in tools that
 * the server runs. A server may know parts and tools of any type, and may read fields in any letter
 * case, so a text counts as a URL because of its field's name or because of its form.
 */
final class UrlFields {
  private static final Pattern NAME = Pattern.compile(".*ur[il]s?|(.*_)?paths?");

  /**
   * How a URL begins. One without a scheme has no form of its own: the Base64 of an MP3 begins with
   * two slashes too.
   */
  private static final Pattern FORM =
      Pattern.compile("(https?|ftps?|wss?|file):|[a-z][a-z0-9+.-]{0,30}:[/\\\\]");

  private static final int MAX_FORM = 40;
  private static final String DATA = "data:";

  /** Fields whose texts the model reads. */
  private static final Set<String> TEXTS =
      Set.of(
          "content", "reasoning", "reasoning_content", "refusal", "text", "thinking", "transcript");

  /** Fields with parts of earlier answers that no model server fetches. */
  private static final Set<String> ANSWERS =
      Set.of("annotations", "citations", "reasoning_details", "search_results");

  /** Fields of a message with arguments of the client's tools. */
  private static final Set<String> CALLS = Set.of("function_call", "tool_calls");

  /** Types of tools that the client runs. */
  private static final Set<String> OF_CLIENTS = Set.of("", "custom", "function");

  /** Fields of such a tool that describe it to the model. */
  private static final Set<String> DESCRIPTIONS =
      Set.of("description", "input_schema", "parameters", "schema");

  private final Map<String, String> urls = new LinkedHashMap<>();

  /** Fields that are passed over, with all that is in them. */
  private final Set<String> passedOver;

  private UrlFields(Set<String> passedOver) {
    this.passedOver = passedOver;
  }

  /** The URLs in a body that are not {@code data:} URLs, by the fields that hold them. */
  static Map<String, String> of(ObjectNode body) {
    UrlFields messages = new UrlFields(ANSWERS);
    JsonNode list = body.path("messages");
    for (int i = 0; i < list.size(); i++) {
      for (Map.Entry<String, JsonNode> field : list.path(i).properties()) {
        if (!CALLS.contains(field.getKey())) {
          messages.add("messages[" + i + "]", field);
        }
      }
    }
    JsonNode tools = body.path("tools");
    for (int i = 0; i < tools.size(); i++) {
      String type = tools.path(i).path("type").asText().toLowerCase(Locale.ROOT);
      UrlFields tool =
          new UrlFields(OF_CLIENTS.contains(type) ? DESCRIPTIONS : Set.of("description"));
      tool.add("tools[" + i + "]", tools.path(i), false);
      messages.urls.putAll(tool.urls);
    }
    return messages.urls;
  }

  private void add(String parent, Map.Entry<String, JsonNode> field) {
    String name = field.getKey().toLowerCase(Locale.ROOT);
    JsonNode value = field.getValue();
    if (!passedOver.contains(name) && !(value.isTextual() && TEXTS.contains(name))) {
      add(parent + "." + field.getKey(), value, NAME.matcher(name).matches());
    }
  }

  /**
   * @param named whether the field's name says that its texts are URLs
   */
  private void add(String place, JsonNode value, boolean named) {
    if (value.isTextual()) {
      String text = value.textValue();
      if ((named || hasForm(text)) && !text.regionMatches(true, 0, DATA, 0, DATA.length())) {
        urls.put(place, text);
      }
      return;
    }
    for (int i = 0; value.isArray() && i < value.size(); i++) {
      add(place + "[" + i + "]", value.get(i), named);
    }
    for (Map.Entry<String, JsonNode> field : value.properties()) {
      add(place, field);
    }
  }

  private static boolean hasForm(String text) {
    StringBuilder start = new StringBuilder();
    for (int i = 0; i < text.length() && start.length() < MAX_FORM; i++) {
      char c = text.charAt(i);
      if (c > ' ' && c < 0x7f) { // parsers leave out white space of any kind, some inside a scheme
        start.append(Character.toLowerCase(c));
      }
    }
    return FORM.matcher(start).lookingAt();
  }
}
