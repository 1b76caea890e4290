package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The cases of {@code odd-servers.txt}, which says how they are written. */
final class OddAnswers {
  static final ObjectMapper RELAXED =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_UNQUOTED_FIELD_NAMES)
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES)
          .build();

  private static final String USAGE = "usage:{prompt_tokens:7,completion_tokens:9,total_tokens:16}";

  private OddAnswers() {}

  /** One case. */
  record Odd(
      String name,
      String body,
      Set<String> options,
      boolean streamed,
      String gets,
      String finish,
      List<String> corrected,
      String usage) {
    boolean ollama() {
      return options.contains("ollama");
    }

    boolean fails() {
      return finish.equals("502");
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Odd> cases() {
    String text;
    try (InputStream in = OddAnswers.class.getResourceAsStream("/odd-servers.txt")) {
      text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.lines().filter(it -> !it.isBlank() && !it.startsWith("#")).map(OddAnswers::parse);
  }

  private static Odd parse(String line) {
    String[] column = line.split(" \\| ", -1);
    if (column.length != 6) {
      throw new IllegalArgumentException("not six columns: " + line);
    }
    String sends = column[1].strip();
    Set<String> options = Set.of();
    if (sends.startsWith("(")) {
      int end = sends.indexOf(')');
      options = Set.of(sends.substring(1, end).split(" "));
      sends = sends.substring(end + 1).strip();
    }
    boolean ollama = options.contains("ollama");
    StringBuilder body = new StringBuilder();
    boolean streamed = ollama && sends.contains(" ; ");
    for (String item : sends.split(" ; ", -1)) {
      String written = item.strip();
      boolean event = !ollama && !written.startsWith("> ") && !written.startsWith("body ");
      event &= !written.startsWith("message ");
      streamed |= event || written.startsWith("> data") || written.startsWith("> event");
      body.append(event ? "data: " + json(written) + "\n\n" : json(written) + (ollama ? "\n" : ""));
    }
    String corrected = column[4].strip();
    return new Odd(
        column[0].strip(),
        body.toString(),
        options,
        streamed,
        column[2].strip(),
        column[3].strip(),
        corrected.equals("-") ? List.of() : List.of(corrected.split(", ")),
        column[5].strip());
  }

  private static String json(String item) {
    if (item.startsWith("> ")) {
      return item.substring(2).replace("\\n", "\n");
    }
    return switch (item) {
      case "[DONE]" -> item;
      case "text" -> json("{delta:{content:'Hi'}}");
      case "stop" -> json("{delta:{},finish_reason:'stop'}");
      case "usage" -> json("= {choices:[]," + USAGE + "}");
      default -> {
        if (item.startsWith("= ")) {
          yield strict(item.substring(2));
        }
        if (item.startsWith("body ")) {
          yield strict(item.substring(5));
        }
        if (item.startsWith("message ")) {
          yield strict(
              "{choices:[{index:0,message:%s,finish_reason:'stop'}],%s}"
                  .formatted(item.substring(8), USAGE));
        }
        yield strict("{choices:[" + item + "]}");
      }
    };
  }

  private static String strict(String relaxed) {
    return relaxed(relaxed).toString();
  }

  static JsonNode relaxed(String json) {
    try {
      return RELAXED.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(json, e);
    }
  }

  /** What the client got: the first choice and the fields around it. */
  record Got(ObjectNode message, String finish, JsonNode usage) {}

  /** Assembles the chunks of a stream as clients do: by index, appending texts. */
  static Got assembled(List<JsonNode> chunks) {
    ObjectNode message = RELAXED.createObjectNode();
    List<String> reasons = new ArrayList<>();
    JsonNode usage = RELAXED.missingNode();
    for (JsonNode chunk : chunks) {
      others(chunk, Set.of("id", "object", "created", "model", "choices", "usage", "jarvis"), "^")
          .forEach(it -> message.set(it.getKey(), it.getValue()));
      usage = chunk.path("usage").isObject() ? chunk.path("usage") : usage;
      for (JsonNode choice : chunk.path("choices")) {
        others(choice, Set.of("index", "delta", "finish_reason", "logprobs"), "@")
            .forEach(it -> message.set(it.getKey(), it.getValue()));
        merge(message, (ObjectNode) choice.path("delta"));
        if (choice.hasNonNull("finish_reason")) {
          reasons.add(choice.path("finish_reason").asText());
        }
      }
    }
    return new Got(cleaned(message), String.join("+", reasons), usage);
  }

  static Got whole(JsonNode answer) {
    ObjectNode message = answer.at("/choices/0/message").deepCopy();
    others(answer, Set.of("id", "object", "created", "model", "choices", "usage"), "^")
        .forEach(it -> message.set(it.getKey(), it.getValue()));
    others(answer.at("/choices/0"), Set.of("index", "message", "finish_reason", "logprobs"), "@")
        .forEach(it -> message.set(it.getKey(), it.getValue()));
    return new Got(
        cleaned(message), answer.at("/choices/0/finish_reason").asText(), answer.path("usage"));
  }

  private static Stream<java.util.Map.Entry<String, JsonNode>> others(
      JsonNode json, Set<String> known, String prefix) {
    return json.properties().stream()
        .filter(it -> !known.contains(it.getKey()) && !it.getValue().isNull())
        .map(it -> java.util.Map.entry(prefix + it.getKey(), it.getValue()));
  }

  private static void merge(ObjectNode whole, ObjectNode delta) {
    for (var field : delta.properties()) {
      JsonNode known = whole.get(field.getKey());
      JsonNode value = field.getValue();
      if (field.getKey().equals("tool_calls")) {
        for (JsonNode piece : value) {
          int index = piece.path("index").asInt(-1);
          if (index == whole.withArray("tool_calls").size()) {
            whole.withArray("tool_calls").addObject();
          }
          ObjectNode call = (ObjectNode) whole.withArray("tool_calls").get(index);
          merge(call, piece.<ObjectNode>deepCopy().without("index"));
        }
      } else if (known instanceof ObjectNode object && value instanceof ObjectNode more) {
        merge(object, more);
      } else if (known != null && known.isTextual() && value.isTextual()) {
        whole.put(field.getKey(), known.asText() + value.asText());
      } else {
        whole.set(field.getKey(), value.deepCopy());
      }
    }
  }

  /** Without what is empty, and with generated ids replaced. */
  private static ObjectNode cleaned(ObjectNode message) {
    message.remove(List.of("role", "refusal"));
    if (message.path("content").asText("").isEmpty() && !message.path("content").isArray()) {
      message.remove("content");
    }
    for (JsonNode call : message.path("tool_calls")) {
      if (call.path("id").asText().matches("call_[0-9a-f]{32}")) {
        ((ObjectNode) call).put("id", "*");
      }
    }
    return message;
  }
}
