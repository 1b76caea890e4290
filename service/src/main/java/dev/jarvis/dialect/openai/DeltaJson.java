package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Event;
import dev.jarvis.json.Json;

/** Events in OpenAI's form: as its servers sent them, or converted. */
final class DeltaJson {
  private DeltaJson() {}

  /** Fields of a message or a {@code delta}. */
  static ObjectNode reasoning(Event.Reasoning it) {
    return it.raw() == null ? Json.object().put("reasoning_content", it.text()) : it.raw();
  }

  /** An entry of {@code tool_calls}, with its index. */
  static ObjectNode toolCall(Event.ToolCall it) {
    ObjectNode call = Json.object().put("index", it.index());
    if (it.raw() instanceof ObjectNode raw) {
      return call.<ObjectNode>setAll(raw).put("index", it.index());
    }
    if (it.id() != null) {
      call.put("id", it.id()).put("type", "function");
    }
    ObjectNode function = call.putObject("function");
    if (it.name() != null) {
      function.put("name", it.name());
    }
    function.put("arguments", it.arguments());
    return call;
  }
}
