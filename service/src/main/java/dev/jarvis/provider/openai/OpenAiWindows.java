package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The context windows that servers of OpenAI's dialect report: most of them with the list of
 * models, llama.cpp and LM Studio elsewhere, where they are asked in the background. Thread-safe.
 */
final class OpenAiWindows {
  private static final Logger LOG = LoggerFactory.getLogger(OpenAiWindows.class);

  /**
   * Of vLLM and SGLang, OpenRouter and Together, Groq, Mistral; the first that is there. The last
   * one is what a model of llama.cpp was trained with, an upper limit.
   */
  private static final List<String> LISTED =
      List.of(
          "/max_model_len",
          "/context_length",
          "/context_window",
          "/max_context_length",
          "/meta/n_ctx",
          "/meta/n_ctx_train");

  private static final List<String> LM_STUDIO =
      List.of("/loaded_context_length", "/max_context_length");
  private static final Duration PERIOD = Duration.ofMinutes(1);

  private final ModelServerClient http;
  private final Map<String, Integer> elsewhere = new ConcurrentHashMap<>();
  private final AtomicLong askAfterNanos = new AtomicLong(System.nanoTime());
  private volatile Map<String, Integer> listed = Map.of();

  OpenAiWindows(ModelServerClient http) {
    this.http = http;
  }

  /** Notes the entries of {@code /models}. */
  void listed(List<JsonNode> models) {
    Map<String, Integer> now = new HashMap<>();
    for (JsonNode model : models) {
      int tokens = first(model, LISTED);
      if (tokens > 0) {
        now.put(model.path("id").textValue(), tokens);
      }
    }
    listed = Map.copyOf(now);
    elsewhere.keySet().retainAll(models.stream().map(it -> it.path("id").textValue()).toList());
    if (!models.isEmpty()) {
      askElsewhere(models);
    }
  }

  /** Empty if not known. */
  OptionalInt of(String model) {
    Integer tokens = elsewhere.get(model);
    if (tokens == null) {
      tokens = listed.get(model);
    }
    return tokens == null ? OptionalInt.empty() : OptionalInt.of(tokens);
  }

  private void askElsewhere(List<JsonNode> models) {
    String owner = models.getFirst().path("owned_by").asText();
    boolean llamaCpp = owner.equals("llamacpp") && models.size() == 1;
    boolean lmStudio = owner.equals("organization_owner");
    long due = askAfterNanos.get();
    if ((!llamaCpp && !lmStudio)
        || System.nanoTime() - due < 0
        || !askAfterNanos.compareAndSet(due, System.nanoTime() + PERIOD.toNanos())) {
      return;
    }
    String only = models.getFirst().path("id").textValue();
    Thread.ofVirtual().start(() -> ask(llamaCpp ? only : null));
  }

  /**
   * @param only the only model of a llama.cpp server; null for LM Studio
   */
  private void ask(@Nullable String only) {
    try {
      if (only != null) {
        JsonNode properties = http.besideApi("/props");
        note(only, first(properties, List.of("/default_generation_settings/n_ctx")));
        return;
      }
      for (JsonNode model : http.besideApi("/api/v0/models").path("data")) {
        note(model.path("id").asText(), first(model, LM_STUDIO));
      }
    } catch (ProviderException e) {
      LOG.atDebug().setCause(e).log("the context windows cannot be read");
    }
  }

  private void note(String model, int tokens) {
    if (tokens > 0 && elsewhere.size() < ModelList.LIMIT) {
      elsewhere.put(model, tokens);
    }
  }

  private static int first(JsonNode json, List<String> places) {
    for (String place : places) {
      JsonNode tokens = json.at(place);
      if (tokens.canConvertToInt() && tokens.intValue() > 0) {
        return tokens.intValue();
      }
    }
    return 0;
  }
}
