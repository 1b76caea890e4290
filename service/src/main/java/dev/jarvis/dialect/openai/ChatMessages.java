package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.http.Fields;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks the conversation of a chat: OpenAI's {@code messages}. */
final class ChatMessages {
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  private ChatMessages() {}

  /**
   * Checks all messages.
   *
   * @throws dev.jarvis.error.ApiException.InvalidRequest naming the first field that is wrong
   */
  static void check(@Nullable JsonNode messages, int maxMessages) {
    if (messages == null || !messages.isArray() || messages.isEmpty()) {
      throw Fields.invalid(
          "messages", "'messages' must be an array of at least one message.", null);
    }
    if (messages.size() > maxMessages) {
      throw Fields.invalid(
          "messages",
          "'messages' has %d messages; at most %d are allowed."
              .formatted(messages.size(), maxMessages),
          null);
    }
    for (int i = 0; i < messages.size(); i++) {
      message("messages[" + i + "]", messages.get(i));
    }
  }

  private static void message(String at, JsonNode node) {
    Fields fields = Fields.of(node, at);
    String role = fields.requiredText("role");
    if (!ROLES.contains(role)) {
      throw Fields.invalid(
          at + ".role",
          "'%s.role' must be system, developer, user, assistant or tool.".formatted(at),
          null);
    }
    JsonNode calls = fields.array("tool_calls");
    if (calls != null && !calls.isEmpty()) {
      if (!role.equals("assistant")) {
        throw Fields.invalid(
            at + ".tool_calls",
            "'%s.tool_calls' is allowed only where the role is assistant.".formatted(at),
            null);
      }
      for (int i = 0; i < calls.size(); i++) {
        toolCall(at + ".tool_calls[" + i + "]", calls.get(i));
      }
    }
    if (role.equals("tool")) {
      fields.requiredText("tool_call_id");
    }
    boolean optional = role.equals("assistant") && (calls != null || node.hasNonNull("refusal"));
    content(at + ".content", node.get("content"), optional);
  }

  private static void toolCall(String at, JsonNode node) {
    Fields call = Fields.of(node, at);
    call.requiredText("id");
    Fields function = Fields.of(node.path("function"), at + ".function");
    function.requiredText("name");
    function.text("arguments");
  }

  private static void content(String at, @Nullable JsonNode content, boolean optional) {
    if (content == null || content.isNull()) {
      if (!optional) {
        throw wrongContent(at);
      }
      return;
    }
    if (content.isTextual()) {
      return;
    }
    if (!content.isArray() || content.isEmpty()) {
      throw wrongContent(at);
    }
    for (int i = 0; i < content.size(); i++) {
      part(at + "[" + i + "]", content.get(i));
    }
  }

  private static void part(String at, JsonNode node) {
    Fields part = Fields.of(node, at);
    String type = part.requiredText("type");
    switch (type) {
      case "text", "refusal" -> {
        if (part.text(type) == null) {
          throw Fields.invalid(
              at + "." + type, "'%s.%s' must be a string.".formatted(at, type), "invalid_type");
        }
      }
      case "image_url" -> image(at + ".image_url", node.path("image_url"));
      default ->
          throw Fields.invalid(
              at + ".type",
              "'%s.type' must be text or image_url; others are not supported.".formatted(at),
              "unsupported_field");
    }
  }

  private static void image(String at, JsonNode node) {
    String url = Fields.of(node, at).requiredText("url");
    if (!url.matches("(?s)(https?://|data:image/[\\w.+-]+;base64,).+")) {
      throw Fields.invalid(
          at + ".url",
          "'%s.url' must be an http or https URL, or data:image/…;base64,….".formatted(at),
          null);
    }
  }

  private static RuntimeException wrongContent(String at) {
    return Fields.invalid(at, "'%s' must be a string or an array of parts.".formatted(at), null);
  }
}
