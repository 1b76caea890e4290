package dev.jarvis.gateway.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.cache.CachePolicy.Scope;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.storage.Redis;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import io.lettuce.core.SetArgs;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Caches complete answers in Redis, by route and request and, unless the route shares its cache, by
 * user. Only deterministic requests are cached. While Redis is unavailable, models are asked.
 * Thread-safe.
 */
public final class AnswerCache {
  /** The result of a lookup. */
  enum Result {
    HIT,
    MISS,
    /** The client does not want the cache, or the request is not deterministic. */
    BYPASS,
    /** Redis did not answer in time. */
    ERROR;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The value of the header {@code x-jarvis-cache}. */
    String header() {
      return this == ERROR ? BYPASS.label() : label();
    }
  }

  /** The number is changed whenever the format of the entries changes. */
  private static final String PREFIX = "jarvis:answer:3:";

  private static final int MAX_CHARS = 1 << 20;

  /** Short, because a model could begin to answer meanwhile. */
  private static final Duration LOOKUP_LIMIT = Duration.ofMillis(250);

  /** Fields of a request that do not affect the answer. */
  private static final List<String> IRRELEVANT_FIELDS =
      List.of(
          "model",
          "stream",
          "stream_options",
          "user",
          "metadata",
          "keep_alive",
          "store",
          "safety_identifier",
          "prompt_cache_key",
          "prompt_cache_retention",
          "service_tier");

  private static final ObjectMapper SORTED =
      SharedBuffers.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

  private final Redis redis;
  private final Instruments instruments;
  private final Function<String, CachePolicy> policies;

  /**
   * @param policies by the model name in the request
   */
  public AnswerCache(Redis redis, Instruments instruments, Function<String, CachePolicy> policies) {
    this.redis = redis;
    this.instruments = instruments;
    this.policies = policies;
    for (Result result : Result.values()) {
      instruments.add(Metric.LLM_CACHE_REQUESTS, 0, result.label());
    }
    for (String command : List.of("GET", "SET")) {
      instruments.add(Metric.DB_CLIENT_OPERATION_ERRORS, 0, "redis", command);
    }
  }

  /**
   * What the cache has for a call.
   *
   * @param result null if the route has no cache
   * @param answer the cached answer; null if there is none
   * @param key the key to store the answer under; null if it must not be stored
   * @param joins whether the call may share a generation of another call
   */
  record Lookup(
      @Nullable Result result,
      @Nullable CachedAnswer answer,
      @Nullable String key,
      Duration ttl,
      boolean joins) {
    private static final Lookup NO_CACHE = new Lookup(null, null, null, Duration.ZERO, false);

    static Lookup hit(CachedAnswer answer) {
      return new Lookup(Result.HIT, answer, null, Duration.ZERO, false);
    }

    /**
     * @param joins false if the client wants a fresh answer
     */
    static Lookup miss(String key, Duration ttl, boolean joins) {
      return new Lookup(Result.MISS, null, key, ttl, joins);
    }

    static Lookup bypass() {
      return new Lookup(Result.BYPASS, null, null, Duration.ZERO, false);
    }

    /** Redis did not answer; a model still need not be asked twice at once. */
    static Lookup error(String key, Duration ttl) {
      return new Lookup(Result.ERROR, null, key, ttl, true);
    }

    /** The value of the header {@code x-jarvis-cache}; null if the route has no cache. */
    @Nullable String header() {
      return result == null ? null : result.header();
    }
  }

  /** Counts the result of a lookup. */
  void count(@Nullable Result result) {
    if (result != null) {
      instruments.add(Metric.LLM_CACHE_REQUESTS, 1, result.label());
    }
  }

  /** Looks up the answer to a call; waits for Redis up to 250 ms. */
  Lookup lookUp(Call call) {
    CachePolicy policy = policies.apply(call.question().model());
    if (policy.scope() == Scope.OFF || !(call.question() instanceof ChatRequest chat)) {
      return Lookup.NO_CACHE;
    }
    String control = call.cacheControl().toLowerCase(Locale.ROOT);
    if (control.contains("no-store") || !repeatable(chat)) {
      return Lookup.bypass();
    }
    String key = key(policy.scope() == Scope.USER ? call.caller().names() : List.of(), chat);
    boolean fresh = control.contains("no-cache");
    try {
      Optional<CachedAnswer> known = fresh ? Optional.empty() : stored(key);
      return known.map(Lookup::hit).orElseGet(() -> Lookup.miss(key, policy.ttl(), !fresh));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Lookup(Result.ERROR, null, null, policy.ttl(), false);
    } catch (ExecutionException | TimeoutException e) { // the health check logs it
      return Lookup.error(key, policy.ttl());
    }
  }

  /** Stores a complete answer, unless it is too large. Never waits. */
  void keep(Lookup lookup, CachedAnswer answer) {
    String key = lookup.key();
    if (key == null || !answer.complete()) {
      return;
    }
    String text = EventJson.write(answer.merged());
    if (text.length() <= MAX_CHARS) {
      var _ = redis.sendTraced("SET", it -> it.set(key, text, SetArgs.Builder.px(lookup.ttl())));
    }
  }

  private Optional<CachedAnswer> stored(String key)
      throws InterruptedException, ExecutionException, TimeoutException {
    String text =
        redis
            .<@Nullable String>sendTraced("GET", it -> it.get(key))
            .toCompletableFuture()
            .get(LOOKUP_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    return text == null ? Optional.empty() : EventJson.read(text);
  }

  /** Deterministic: temperature 0 or a seed. */
  private static boolean repeatable(ChatRequest request) {
    return request.temperature().orElse(1) == 0 || request.seed().isPresent();
  }

  /** Null counts as absent, and 0.0 as 0. What is inside of a field may be text of the prompt. */
  private static ObjectNode canonical(ObjectNode question) {
    ObjectNode canonical = SORTED.createObjectNode();
    for (Map.Entry<String, JsonNode> field : question.properties()) {
      JsonNode value = field.getValue();
      if (value.isNumber() && Double.isFinite(value.doubleValue())) {
        canonical.set(
            field.getKey(), DecimalNode.valueOf(value.decimalValue().stripTrailingZeros()));
      } else if (!value.isNull()) {
        canonical.set(field.getKey(), value);
      }
    }
    return canonical;
  }

  /** A hash, so that the request cannot be read in Redis. */
  private static String key(List<String> caller, ChatRequest request) {
    ObjectNode question = canonical(request.body().deepCopy().without(IRRELEVANT_FIELDS));
    ObjectNode whole = SORTED.createObjectNode().put("route", request.model());
    caller.forEach(whole.putArray("asker")::add);
    whole.set("question", question);
    try {
      byte[] canonical =
          SORTED
              .writeValueAsString(SORTED.convertValue((JsonNode) whole, Map.class))
              .getBytes(StandardCharsets.UTF_8);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(canonical);
      return PREFIX + HexFormat.of().formatHex(hash);
    } catch (JsonProcessingException | NoSuchAlgorithmException e) {
      throw new IllegalStateException("a tree can always be written and hashed", e);
    }
  }
}
