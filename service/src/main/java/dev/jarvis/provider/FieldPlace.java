package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Question;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Where a request has what a provider does not support.
 *
 * @param path the first such place, for example {@code messages[0].content[1]}
 * @param kind what stands there, for example {@code input_audio}
 */
public record FieldPlace(String path, String kind) {
  private static final String DATA = "data:";

  /**
   * The place that a name in {@link UnsupportedFields#refused} stands for; empty if it is the name
   * of a field of the request.
   */
  public static Optional<FieldPlace> of(Question question, String name) {
    if (!(question instanceof ChatRequest chat) || !UnsupportedFields.isInside(name)) {
      return Optional.empty();
    }
    String kind = name.substring(name.indexOf('.') + 1);
    if (name.equals(UnsupportedFields.TOOL_CALLS)) {
      return first(chat, UnsupportedFields::hasToolCalls).map(it -> new FieldPlace(it, kind));
    }
    if (name.equals(UnsupportedFields.REMOTE_IMAGES)) {
      return part(chat, FieldPlace::isRemoteImage)
          .map(it -> new FieldPlace(it + ".image_url.url", "image_url"));
    }
    Predicate<JsonNode> isOfKind = node -> node.path("type").asText().equals(kind);
    return (UnsupportedFields.isTool(name)
            ? index(chat.body().path("tools"), isOfKind).map("tools"::concat)
            : part(chat, isOfKind))
        .map(it -> new FieldPlace(it, kind));
  }

  private static boolean isRemoteImage(JsonNode part) {
    String url = part.at("/image_url/url").asText();
    return part.path("type").asText().equals("image_url")
        && !url.regionMatches(true, 0, DATA, 0, DATA.length());
  }

  private static Optional<String> first(ChatRequest chat, Predicate<ChatRequest.Message> test) {
    List<ChatRequest.Message> messages = chat.messages();
    for (int i = 0; i < messages.size(); i++) {
      if (test.test(messages.get(i))) {
        return Optional.of("messages[" + i + "]");
      }
    }
    return Optional.empty();
  }

  private static Optional<String> part(ChatRequest chat, Predicate<JsonNode> test) {
    JsonNode messages = chat.body().path("messages");
    for (int i = 0; i < messages.size(); i++) {
      String content = "messages[" + i + "].content";
      Optional<String> found = index(messages.path(i).path("content"), test);
      if (found.isPresent()) {
        return found.map(content::concat);
      }
    }
    return Optional.empty();
  }

  private static Optional<String> index(JsonNode list, Predicate<JsonNode> test) {
    for (int i = 0; i < list.size(); i++) {
      if (test.test(list.path(i))) {
        return Optional.of("[" + i + "]");
      }
    }
    return Optional.empty();
  }
}
