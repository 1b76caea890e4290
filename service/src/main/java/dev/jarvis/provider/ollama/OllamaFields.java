package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.provider.ModelLoading;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Fields of requests that OpenAI does not define, or defines otherwise, but Ollama knows. */
final class OllamaFields {
  /** Options that Ollama takes as they are. */
  private static final List<String> OPTIONS =
      List.of("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n");

  private static final String NUM_CTX = "num_ctx";
  private static final String KEEP_ALIVE = "keep_alive";
  private static final String THINK = "think";
  private static final String EFFORT = "reasoning_effort";

  /** As Go writes durations. */
  private static final Pattern DURATION =
      Pattern.compile("(?:\\d{1,9}(?:\\.\\d{1,9})?(?:ns|us|µs|ms|s|m|h))+|0");

  private static final Pattern PART = Pattern.compile("([\\d.]+)([a-zµ]+)");

  private OllamaFields() {}

  /**
   * The names of those fields that are honoured.
   *
   * @param thinks whether the model can think; null if not known
   */
  static Set<String> honoured(ChatRequest request, @Nullable Boolean thinks) {
    Set<String> honoured = new HashSet<>(OPTIONS);
    honoured.add(NUM_CTX);
    honoured.add(KEEP_ALIVE);
    JsonNode think = request.body().path(THINK);
    if (thinks == null || thinks || (think.isBoolean() && !think.booleanValue())) {
      honoured.add(THINK);
    }
    JsonNode effort = effort(request);
    if (effort != null && thinks != null && (thinks || effort.isBoolean())) {
      honoured.add(EFFORT);
    }
    return honoured;
  }

  /** The context window that the request sets, or the configuration; 0 if neither does. */
  static int numCtx(ChatRequest request, ModelLoading loading) {
    JsonNode asked = request.body().path(NUM_CTX);
    return asked.isInt() ? asked.intValue() : loading.numCtx();
  }

  /**
   * Adds the fields to the body of {@code /api/chat}.
   *
   * @param trained the largest context window of the model
   * @param thinks whether the model can think; null if not known
   * @throws ProviderException.Refused if a client asks for more than it may
   */
  static void add(
      ObjectNode body,
      ChatRequest request,
      ModelLoading loading,
      OptionalInt trained,
      @Nullable Boolean thinks)
      throws ProviderException.Refused {
    ObjectNode options = body.withObject("/options");
    for (String name : OPTIONS) {
      JsonNode value = request.body().path(name);
      if (value.isNumber()) {
        options.set(name, value);
      }
    }
    checkNumCtx(request, loading, trained);
    int window = numCtx(request, loading);
    if (window > 0) {
      options.put(NUM_CTX, window);
    }
    JsonNode keepAlive = request.body().path(KEEP_ALIVE);
    if (keepAlive.isNumber() || keepAlive.isTextual()) {
      body.put(KEEP_ALIVE, keepAlive(keepAlive, loading.maxKeepAlive()).toMillis() + "ms");
    } else if (loading.keepAlive() != null) {
      body.put(KEEP_ALIVE, loading.keepAlive().toMillis() + "ms");
    }
    JsonNode think = think(request, thinks);
    if (think != null) {
      body.set(THINK, think);
    }
  }

  private static void checkNumCtx(ChatRequest request, ModelLoading loading, OptionalInt trained)
      throws ProviderException.Refused {
    JsonNode asked = request.body().path(NUM_CTX);
    int max = loading.maxNumCtx() > 0 ? loading.maxNumCtx() : trained.orElse(Integer.MAX_VALUE);
    if (asked.isInt() && asked.intValue() > max) {
      throw new ProviderException.Refused(
          "'num_ctx' is %d; the maximum of '%s' is %d."
              .formatted(asked.intValue(), request.model(), max),
          new ProviderException.Refusal(
              ProviderException.Reason.REQUEST, 400, "invalid_value", NUM_CTX),
          null);
    }
  }

  private static Duration keepAlive(JsonNode value, Duration max) throws ProviderException.Refused {
    Duration asked = duration(value);
    if (asked == null || asked.isNegative() || asked.compareTo(max) > 0) {
      throw new ProviderException.Refused(
          "'keep_alive' is %s; it must be a number of seconds or a duration such as \"10m\", from 0 to %d s."
              .formatted(shown(value), max.toSeconds()),
          new ProviderException.Refusal(
              ProviderException.Reason.REQUEST, 400, "invalid_value", KEEP_ALIVE),
          null);
    }
    return asked;
  }

  private static String shown(JsonNode value) {
    String text = value.toString();
    return text.length() > 40 ? text.substring(0, 40) + "…" : text;
  }

  private static @Nullable Duration duration(JsonNode value) {
    if (value.isNumber()) {
      return Math.abs(value.doubleValue()) > Integer.MAX_VALUE
          ? null
          : Duration.ofSeconds(value.longValue()); // Ollama, too, ignores fractions
    }
    String text = value.textValue();
    if (text.length() > 40 || !DURATION.matcher(text).matches()) {
      return null;
    }
    double seconds = 0;
    Matcher part = PART.matcher(text);
    while (part.find()) {
      double unit =
          switch (part.group(2)) {
            case "h" -> 3600;
            case "m" -> 60;
            case "s" -> 1;
            case "ms" -> 1e-3;
            default -> 0;
          };
      seconds += Double.parseDouble(part.group(1)) * unit;
    }
    return seconds > Integer.MAX_VALUE ? null : Duration.ofMillis((long) (seconds * 1000));
  }

  private static @Nullable JsonNode think(ChatRequest request, @Nullable Boolean thinks) {
    if (!honoured(request, thinks).contains(THINK)) {
      return null;
    }
    JsonNode asked = request.body().path(THINK);
    if (asked.isBoolean() || asked.isTextual()) {
      return asked;
    }
    return Boolean.TRUE.equals(thinks) ? effort(request) : null;
  }

  /**
   * OpenAI's {@code reasoning_effort} as Ollama's {@code think}; null if there is no such value.
   */
  private static @Nullable JsonNode effort(ChatRequest request) {
    return switch (request.body().path(EFFORT).asText()) {
      case "none" -> BooleanNode.FALSE;
      case "minimal", "low" -> TextNode.valueOf("low");
      case "medium" -> TextNode.valueOf("medium");
      case "high", "xhigh" -> TextNode.valueOf("high");
      default -> null;
    };
  }
}
