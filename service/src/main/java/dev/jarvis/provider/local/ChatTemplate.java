package dev.jarvis.provider.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.json.SharedBuffers;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A conversation in the format that the model was trained on.
 *
 * @param text the prompt
 * @param markers the template's control tokens, for example {@code <|im_end|>}
 */
record ChatTemplate(String text, Set<String> markers) {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final Pattern PLACE = Pattern.compile("@@(\\d+)@@");
  private static final Pattern MARKER =
      Pattern.compile("<\\|[^|<>\\s]{1,40}\\|>|<(?:start|end)_of_turn>");

  /**
   * Applies the model's template to placeholders and then replaces them with the messages, because
   * the binding would break characters beyond the basic plane and accept control tokens in
   * messages.
   *
   * @param template returns the prompt for {@code {"messages": …}}
   */
  static ChatTemplate apply(UnaryOperator<String> template, List<ChatRequest.Message> messages) {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode placeholders = root.putArray("messages");
    for (int i = 0; i < messages.size(); i++) {
      placeholders.addObject().put("role", messages.get(i).role()).put("content", "@@" + i + "@@");
    }
    String frame = template.apply(root.toString());
    Set<String> markers = new LinkedHashSet<>();
    MARKER.matcher(frame).results().map(MatchResult::group).forEach(markers::add);
    String text =
        PLACE
            .matcher(frame)
            .replaceAll(
                place -> {
                  int index = Integer.parseInt(place.group(1));
                  return Matcher.quoteReplacement(plain(messages.get(index).text(), markers));
                });
    return new ChatTemplate(text, markers);
  }

  /** Breaks up control tokens in a message, so that a client cannot forge another message. */
  private static String plain(String content, Set<String> markers) {
    String text = content;
    for (String marker : markers) {
      text = text.replace(marker, "< " + marker.substring(1));
    }
    return text;
  }
}
