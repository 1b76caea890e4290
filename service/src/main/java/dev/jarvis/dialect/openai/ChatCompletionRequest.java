package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.http.Fields;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /v1/chat/completions}, as <a
 * href="https://platform.openai.com/docs/api-reference/chat/create">OpenAI documents it</a>.
 *
 * @param model the name that the client gave
 * @param chat what the model is asked, under that name
 * @param stream whether the answer comes piece by piece
 * @param includeUsage whether a stream ends with a chunk that tells the tokens
 * @param user the end user
 */
record ChatCompletionRequest(
    String model, ChatRequest chat, boolean stream, boolean includeUsage, @Nullable String user) {

  private static final int MAX_CHOICES = 128;
  private static final int MAX_TOP_LOGPROBS = 20;
  private static final int MAX_TOOLS = 128;

  /**
   * Reads a body. Fields that OpenAI does not have are left in it: they are the model server's.
   *
   * @param maxTokens most tokens that a client may ask for
   * @throws ApiException.InvalidRequest naming the first field that is wrong and what is allowed
   *     there
   */
  static ChatCompletionRequest parse(ObjectNode body, int maxMessages, int maxTokens) {
    Fields fields = new Fields(body);
    String model = fields.requiredText("model");
    ChatMessages.check(body.get("messages"), maxMessages);
    fields.number("temperature", 0, 2);
    fields.number("top_p", 0, 1);
    fields.number("frequency_penalty", -2, 2);
    fields.number("presence_penalty", -2, 2);
    fields.whole("n", 1, MAX_CHOICES);
    fields.integer("seed");
    maxTokens(fields, maxTokens);
    stop(body.get("stop"));
    logprobs(fields);
    tools(fields);
    responseFormat(fields.inner("response_format"));
    boolean stream = fields.flag("stream");
    return new ChatCompletionRequest(
        model, new ChatRequest(model, body), stream, includeUsage(body, stream), fields.user());
  }

  private static void logprobs(Fields fields) {
    boolean asked = fields.flag("logprobs");
    if (fields.whole("top_logprobs", 0, MAX_TOP_LOGPROBS).orElse(0) > 0 && !asked) {
      throw Fields.invalid(
          "top_logprobs", "'top_logprobs' is allowed only when 'logprobs' is true.", null);
    }
  }

  private static void tools(Fields fields) {
    fields.flag("parallel_tool_calls");
    JsonNode tools = fields.array("tools");
    if (tools != null && tools.size() > MAX_TOOLS) {
      throw Fields.invalid("tools", "'tools' has at most %d tools.".formatted(MAX_TOOLS), null);
    }
    for (int i = 0; tools != null && i < tools.size(); i++) {
      String at = "tools[" + i + "]";
      Fields tool = Fields.of(tools.get(i), at);
      if (tool.word("type", "function") == null) {
        throw Fields.invalid(at + ".type", "'%s.type' must be function.".formatted(at), null);
      }
      function(Fields.of(tools.get(i).path("function"), at + ".function"));
    }
    JsonNode choice = fields.object().get("tool_choice");
    if (choice == null || choice.isNull()) {
      return;
    }
    if (choice.isObject()) {
      Fields.of(choice.path("function"), "tool_choice.function").requiredText("name");
    } else {
      fields.word("tool_choice", "none", "auto", "required");
    }
    if ((tools == null || tools.isEmpty()) && !choice.asText().matches("none|auto")) {
      throw Fields.invalid(
          "tool_choice", "'tool_choice' is allowed only where there are 'tools'.", null);
    }
  }

  private static void function(Fields function) {
    String name = function.requiredText("name");
    if (!name.matches("[a-zA-Z0-9_-]{1,64}")) {
      throw Fields.invalid(
          function.prefix() + "name",
          "'%sname' has 1 to 64 letters, digits, underscores and hyphens."
              .formatted(function.prefix()),
          null);
    }
    function.text("description");
    function.inner("parameters");
    function.flag("strict");
  }

  private static void responseFormat(@Nullable Fields format) {
    if (format == null) {
      return;
    }
    String type = format.word("type", "text", "json_object", "json_schema");
    if (type == null) {
      format.requiredText("type");
    } else if (type.equals("json_schema")) {
      Fields schema = Fields.of(format.object().path("json_schema"), "response_format.json_schema");
      schema.requiredText("name");
      Fields.of(schema.object().path("schema"), "response_format.json_schema.schema");
    }
  }

  private static void maxTokens(Fields fields, int most) {
    OptionalInt current = fields.whole("max_completion_tokens", 1, most);
    OptionalInt older = fields.whole("max_tokens", 1, most);
    if (current.isPresent() && older.isPresent() && current.getAsInt() != older.getAsInt()) {
      throw Fields.invalid(
          "max_tokens", "'max_tokens' and 'max_completion_tokens' differ; send one of them.", null);
    }
  }

  private static boolean includeUsage(ObjectNode body, boolean stream) {
    JsonNode options = body.get("stream_options");
    if (options == null || options.isNull()) {
      return false;
    }
    if (!(options instanceof ObjectNode object)) {
      throw Fields.invalid("stream_options", "'stream_options' must be an object.", null);
    }
    if (!stream) {
      throw Fields.invalid(
          "stream_options", "'stream_options' is allowed only when 'stream' is true.", null);
    }
    return new Fields(object, "stream_options.").flag("include_usage");
  }

  private static void stop(@Nullable JsonNode stop) {
    if (stop == null || stop.isNull()) {
      return;
    }
    boolean right =
        stop.isTextual() ? !stop.asText().isEmpty() : stop.isArray() && stop.size() <= 4;
    for (JsonNode sequence : stop) {
      right &= sequence.isTextual() && !sequence.asText().isEmpty();
    }
    if (!right) {
      throw Fields.invalid(
          "stop", "'stop' must be a string or up to four strings, none of them empty.", null);
    }
  }
}
