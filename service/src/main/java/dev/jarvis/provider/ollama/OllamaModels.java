package dev.jarvis.provider.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.json.Json;
import dev.jarvis.provider.ModelServerClient;
import dev.jarvis.provider.ProviderException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an Ollama server says of its models: their context windows, and whether they think. Asked in
 * the background, one request at a time; unknown until it has answered. Thread-safe.
 */
final class OllamaModels {
  private static final Logger LOG = LoggerFactory.getLogger(OllamaModels.class);
  private static final int SHOW_LIMIT_BYTES = 4 << 20;
  private static final Pattern NUM_CTX = Pattern.compile("(?m)^num_ctx\\s+(\\d{1,9})\\s*$");

  /** How long an answer that says nothing, or no answer, is not asked for again. */
  private static final Duration PAUSE = Duration.ofMinutes(1);

  /** The server may be started again with another default. */
  private static final Duration DEFAULT_AGE = Duration.ofMinutes(10);

  private final ModelServerClient http;
  private final Duration limit;
  private final Map<String, Shown> shown = new ConcurrentHashMap<>();
  private final Map<String, Measured> loaded = new ConcurrentHashMap<>();
  private final AtomicBoolean showing = new AtomicBoolean();
  private final AtomicBoolean measuring = new AtomicBoolean();

  /**
   * From {@code /api/show}.
   *
   * @param digest of the version of the model
   * @param trained the tokens that it was trained with; 0 if not known
   * @param configured the {@code num_ctx} of its Modelfile; 0 if not set
   * @param thinks null if not known
   * @param failed whether the server has not answered
   */
  private record Shown(
      String digest,
      int trained,
      int configured,
      @Nullable Boolean thinks,
      boolean failed,
      long atNanos) {
    boolean current(String now) {
      return digest.equals(now) && !(failed && older(atNanos, PAUSE));
    }
  }

  /**
   * From {@code /api/ps}, right after a request without {@code num_ctx}.
   *
   * @param tokens 0 if not known
   */
  private record Measured(int tokens, long atNanos) {}

  OllamaModels(ModelServerClient http, Duration limit) {
    this.http = http;
    this.limit = limit;
  }

  /** Notes the entries of {@code /api/tags}; asks about those that are new or have changed. */
  void listed(List<JsonNode> models) {
    Map<String, String> digests = new HashMap<>();
    models.forEach(it -> digests.put(it.path("name").textValue(), it.path("digest").asText()));
    shown.keySet().retainAll(digests.keySet());
    loaded.keySet().retainAll(digests.keySet());
    digests.entrySet().removeIf(it -> isCurrent(it.getKey(), it.getValue()));
    if (!digests.isEmpty()) {
      once(showing, () -> digests.forEach(this::show));
    }
  }

  /**
   * Notes that the server has just loaded the model, or has it in memory, with its default context
   * window.
   */
  void loadedByDefault(String model) {
    String name = listedName(model);
    Shown known = shown.get(name);
    Measured before = loaded.get(name);
    boolean fresh =
        before != null && !older(before.atNanos(), before.tokens() > 0 ? DEFAULT_AGE : PAUSE);
    if (known != null && known.configured() == 0 && !fresh) {
      once(measuring, () -> measure(name));
    }
  }

  /**
   * The context window of a request; empty if not known. If only the server's default is unknown,
   * the model's maximum.
   *
   * @param requested by the request, or the configuration of the server; 0 if neither sets it
   * @param configured by the operator for this model
   */
  OptionalInt window(String model, int requested, OptionalInt configured) {
    String name = listedName(model);
    Shown known = shown.get(name);
    int trained = known == null ? 0 : known.trained();
    int window = requested > 0 ? requested : configured.orElse(0);
    if (window == 0 && known != null) {
      Measured measured = loaded.get(name);
      window =
          known.configured() > 0 ? known.configured() : measured == null ? 0 : measured.tokens();
    }
    if (window == 0 || (trained > 0 && trained < window)) {
      window = trained; // Ollama limits it so, too
    }
    return window == 0 ? OptionalInt.empty() : OptionalInt.of(window);
  }

  /** The tokens that the model was trained with; empty if not known. */
  OptionalInt trained(String model) {
    Shown known = shown.get(listedName(model));
    return known == null || known.trained() == 0
        ? OptionalInt.empty()
        : OptionalInt.of(known.trained());
  }

  /** Whether the model can think; null if not known. */
  @Nullable Boolean thinks(String model) {
    Shown known = shown.get(listedName(model));
    return known == null ? null : known.thinks();
  }

  private boolean isCurrent(String model, String digest) {
    Shown known = shown.get(model);
    return known != null && known.current(digest);
  }

  private String listedName(String model) {
    return shown.containsKey(model) || model.indexOf(':') >= 0 ? model : model + ":latest";
  }

  private void show(String model, String digest) {
    Shown answer;
    try {
      byte[] question = Json.bytes(Json.object().put("model", model));
      JsonNode json = http.json("/api/show", question, limit, SHOW_LIMIT_BYTES, JsonNode.class);
      answer =
          new Shown(
              digest, trained(json), configured(json), thinks(json), false, System.nanoTime());
    } catch (ProviderException e) {
      LOG.atDebug().addKeyValue("model", model).setCause(e).log("the model cannot be shown");
      answer = new Shown(digest, 0, 0, null, true, System.nanoTime());
    }
    shown.put(model, answer);
  }

  private static int trained(JsonNode json) {
    JsonNode info = json.path("model_info");
    String architecture = info.path("general.architecture").asText();
    return tokens(info.path(architecture + ".context_length"));
  }

  private static int configured(JsonNode json) {
    Matcher line = NUM_CTX.matcher(json.path("parameters").asText());
    return line.find() ? Integer.parseInt(line.group(1)) : 0;
  }

  private static @Nullable Boolean thinks(JsonNode json) {
    JsonNode capabilities = json.path("capabilities");
    return capabilities.isArray()
        ? capabilities.valueStream().anyMatch(it -> it.asText().equals("thinking"))
        : null;
  }

  private void measure(String model) {
    int tokens = 0;
    try {
      for (JsonNode it : http.named("/api/ps", "models", "name")) {
        if (model.equals(it.path("name").textValue())) {
          tokens = tokens(it.path("context_length"));
        }
      }
    } catch (ProviderException e) {
      LOG.atDebug().setCause(e).log("the loaded models cannot be listed");
    }
    loaded.put(model, new Measured(tokens, System.nanoTime()));
  }

  private static int tokens(JsonNode number) {
    return number.canConvertToInt() ? Math.max(0, number.intValue()) : 0;
  }

  private static boolean older(long atNanos, Duration age) {
    return System.nanoTime() - atNanos > age.toNanos();
  }

  /** Runs work in the background, unless such work is being done. */
  private static void once(AtomicBoolean running, Runnable work) {
    if (running.compareAndSet(false, true)) {
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  work.run();
                } finally {
                  running.set(false);
                }
              });
    }
  }
}
