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
 * Lays a conversation out as the model was trained to read it.
 *
 * @param text the prompt
 * @param markers the template's marks of turns, for example {@code <|im_end|>}
 */
record ChatTemplate(String text, Set<String> markers) {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final Pattern PLACE = Pattern.compile("@@(\\d+)@@");
  private static final Pattern MARKER =
      Pattern.compile("<\\|[^|<>\\s]{1,40}\\|>|<(?:start|end)_of_turn>");

  /**
   * The frame comes from the model's own template, filled with placeholders: the binding returns
   * texts with characters beyond the basic plane broken, and would read marks in them as marks.
   *
   * @param frame gives the prompt for {@code {"messages": …}}
   */
  static ChatTemplate apply(UnaryOperator<String> frame, List<ChatRequest.Message> messages) {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode places = root.putArray("messages");
    for (int i = 0; i < messages.size(); i++) {
      places.addObject().put("role", messages.get(i).role()).put("content", "@@" + i + "@@");
    }
    String empty = frame.apply(root.toString());
    Set<String> markers = new LinkedHashSet<>();
    MARKER.matcher(empty).results().map(MatchResult::group).forEach(markers::add);
    String text =
        PLACE
            .matcher(empty)
            .replaceAll(
                place -> {
                  int index = Integer.parseInt(place.group(1));
                  return Matcher.quoteReplacement(plain(messages.get(index).text(), markers));
                });
    return new ChatTemplate(text, markers);
  }

  /** Nobody forges a turn: a mark inside a message is broken up, so that it is read as text. */
  private static String plain(String content, Set<String> markers) {
    String text = content;
    for (String marker : markers) {
      text = text.replace(marker, "< " + marker.substring(1));
    }
    return text;
  }
}
