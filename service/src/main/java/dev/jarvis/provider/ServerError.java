package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a model server's error says, in any of the dialects of servers: OpenAI, vLLM, SGLang,
 * llama.cpp, Ollama, LM Studio, TGI, FastAPI, Mistral, OpenRouter, Azure, Anthropic, Google; or a
 * page or text of a proxy.
 *
 * @param text neither bounded nor masked; empty if there is none
 * @param code the server's name of the error; null if it gives none
 * @param type the kind of the error, by which it is only recognised
 * @param param the field of the request that is wrong
 * @param status the status in the body; 0 if there is none
 */
record ServerError(
    String text, @Nullable String code, @Nullable String type, @Nullable String param, int status) {

  static final ServerError EMPTY = new ServerError("", null, null, null, 0);

  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final Pattern NAME = Pattern.compile("(?=.*[A-Za-z])[\\w.-]{1,64}");
  private static final Pattern FIELD = Pattern.compile("[\\w.\\[\\]-]{1,200}");
  private static final Pattern STATUS = Pattern.compile("[45]\\d\\d");
  private static final Pattern TITLE =
      Pattern.compile("<title[^>]*>([^<]{1,300})", Pattern.CASE_INSENSITIVE);
  private static final int PAGE_CHARS = 4_000;
  private static final int MAX_DETAILS = 5;

  /** The error in the body of a response with an error's status. */
  static ServerError of(byte[] body) {
    String text = new String(body, StandardCharsets.UTF_8).strip();
    if (text.startsWith("{") || text.startsWith("[") || text.startsWith("\"")) {
      try {
        JsonNode json = JSON.readTree(text);
        return json.isTextual() ? ofText(json.textValue()) : of(json, true);
      } catch (IOException e) {
        // a text that only begins like JSON
      }
    }
    return ofText(text);
  }

  /** The error in a JSON answer or event; null if it is none. */
  static @Nullable ServerError in(JsonNode json) {
    JsonNode root = json.isArray() ? json.path(0) : json;
    boolean answers =
        root.hasNonNull("choices")
            || root.hasNonNull("usage")
            || root.path("object").asText().startsWith("chat.completion")
            || root.path("message").isObject();
    if (said(root.path("error"), answers)
        || root.path("object").asText().equals("error")
        || root.path("type").asText().equals("error")) {
      return of(root, true);
    }
    boolean named = root.has("code") || root.has("status") || root.has("request_id");
    boolean refusal = root.hasNonNull("detail") || (root.path("message").isTextual() && named);
    return refusal && !answers ? of(root, true) : null;
  }

  /** Some servers send an {@code error} that says nothing with each answer or event. */
  private static boolean said(JsonNode error, boolean beside) {
    return switch (error.getNodeType()) {
      case STRING -> !error.textValue().isBlank();
      case OBJECT -> !beside || saysSomething(error);
      case ARRAY -> !error.isEmpty();
      case NUMBER, BOOLEAN -> !beside && error.asBoolean();
      default -> false;
    };
  }

  private static boolean saysSomething(JsonNode error) {
    String code = error.path("code").asText("");
    return !text(MissingNode.getInstance(), error, error).isBlank()
        || !Set.of("", "0", "null", "false").contains(code.strip());
  }

  private static ServerError of(JsonNode json, boolean unwrap) {
    JsonNode root = json.isArray() ? json.path(0) : json;
    JsonNode error = root.path("error").isObject() ? root.path("error") : root;
    String text = text(root.path("error"), error, root);
    ServerError inner = unwrap ? wrapped(error, text) : null;
    JsonNode details = details(error);
    ServerError outer =
        new ServerError(
            text,
            first(NAME, error.path("code"), error.at("/innererror/code"), root.path("code")),
            details.isEmpty()
                ? first(NAME, error.path("type"), error.path("error_type"), error.path("status"))
                : "validation_error",
            param(error.path("param"), details),
            status(
                error.path("code"), error.path("status"), root.path("code"), root.path("status")));
    return inner == null ? outer : outer.around(inner);
  }

  /** What an error says that a gateway has put into its own, as JSON in a text. */
  private static @Nullable ServerError wrapped(JsonNode error, String text) {
    JsonNode raw = error.at("/metadata/raw"); // OpenRouter's
    String inside = raw.isTextual() ? raw.textValue() : text;
    int brace = inside.indexOf('{');
    if (brace >= 0 && inside.strip().endsWith("}")) {
      try {
        ServerError inner = of(JSON.readTree(inside.substring(brace)), false);
        return inner.text.isEmpty() ? null : inner;
      } catch (IOException e) {
        // braces in a text
      }
    }
    return raw.isTextual() && !inside.isBlank() ? ofText(inside) : null;
  }

  private ServerError around(ServerError inner) {
    return new ServerError(
        inner.text,
        inner.code == null ? code : inner.code,
        inner.type == null ? type : inner.type,
        inner.param == null ? param : inner.param,
        inner.status == 0 ? status : inner.status);
  }

  private static String text(JsonNode field, JsonNode error, JsonNode root) {
    if (field.isTextual() && !field.textValue().isBlank()) {
      return field.textValue();
    }
    for (JsonNode from : List.of(error, root)) {
      for (String name : List.of("message", "detail", "msg", "error_message", "title", "errors")) {
        String text = words(from.path(name));
        if (!text.isBlank()) {
          return text;
        }
      }
    }
    return "";
  }

  /** A text, the text in an object, or those of a list of violations. */
  private static String words(JsonNode node) {
    if (node.isTextual()) {
      return node.textValue();
    }
    if (node.isArray()) {
      List<String> words = new ArrayList<>();
      for (int i = 0; i < Math.min(node.size(), MAX_DETAILS); i++) {
        JsonNode detail = node.path(i);
        String place = place(detail.path("loc"));
        String text = detail.isTextual() ? detail.textValue() : words(detail);
        words.add(place.isEmpty() ? text : place + ": " + text);
      }
      words.removeIf(String::isBlank);
      return String.join("; ", words);
    }
    for (String name : List.of("message", "msg", "error", "detail")) {
      JsonNode inner = node.path(name);
      if (inner.isTextual() || inner.isArray()) {
        return words(inner);
      }
    }
    return "";
  }

  private static JsonNode details(JsonNode error) {
    JsonNode message = error.path("message");
    JsonNode detail = message.isObject() ? message.path("detail") : error.path("detail");
    return detail.isArray() ? detail : MissingNode.getInstance();
  }

  private static @Nullable String param(JsonNode given, JsonNode details) {
    String field =
        given.isTextual()
            ? given.textValue()
            : place(details.path(0).path("loc")).replaceFirst("^body\\.?", "");
    return FIELD.matcher(field).matches() && !Masking.secret(field) ? field : null;
  }

  /** FastAPI's place of a violation: {@code body.messages[0].content}. */
  private static String place(JsonNode loc) {
    StringBuilder place = new StringBuilder();
    for (JsonNode part : loc) {
      if (part.isInt()) {
        place.append('[').append(part.intValue()).append(']');
      } else {
        place.append(place.isEmpty() ? "" : ".").append(part.asText());
      }
    }
    return place.toString();
  }

  private static @Nullable String first(Pattern allowed, JsonNode... values) {
    for (JsonNode value : values) {
      if (value.isTextual()
          && allowed.matcher(value.textValue()).matches()
          && !Masking.secret(value.textValue())) {
        return value.textValue();
      }
    }
    return null;
  }

  private static int status(JsonNode... values) {
    for (JsonNode value : values) {
      String text = value.isInt() || value.isTextual() ? value.asText() : "";
      if (STATUS.matcher(text).matches()) {
        return Integer.parseInt(text);
      }
    }
    return 0;
  }

  /** The title of a page, else its words; or the text itself. */
  private static ServerError ofText(String text) {
    String said = Masking.bounded(text, PAGE_CHARS);
    if (text.startsWith("<")) {
      Matcher title = TITLE.matcher(said);
      said = title.find() ? title.group(1) : said.replaceAll("<[^>]*>?", " ");
    }
    return said.indexOf('\uFFFD') >= 0 || said.indexOf('\0') >= 0 // not text at all
        ? EMPTY
        : new ServerError(said.strip(), null, null, null, 0);
  }
}
