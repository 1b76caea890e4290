package dev.jarvis.gateway.cache;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
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
 * Answers given before, in Redis: the same question of the same user to the same route gets the
 * same answer, where the route has a cache and the answer does not depend on chance. While Redis is
 * away models are asked. Thread-safe.
 */
public final class AnswerCache {
  /** The result of a lookup. */
  enum Result {
    HIT,
    MISS,
    /** The client does not want it, or the answer depends on chance. */
    BYPASS,
    /** Redis did not answer in time. */
    ERROR;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** As a client is told. */
    String header() {
      return this == ERROR ? BYPASS.label() : label();
    }
  }

  /** Changes with the form of the entries. */
  private static final String PREFIX = "jarvis:answer:2:";

  private static final int MAX_CHARS = 1 << 20;

  /** A model would have begun to answer by then. */
  private static final Duration LOOK_LIMIT = Duration.ofMillis(250);

  /** Fields of a request that do not affect the answer. */
  private static final List<String> BESIDE_THE_QUESTION =
      List.of(
          "model",
          "stream",
          "stream_options",
          "user",
          "metadata",
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
   * @param policies by the name that a client asks for
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
   * @param result null where the route has no cache
   * @param answer the answer that was given before; null if there is none
   * @param key under which the answer is to be kept; null if it is not
   * @param joins whether an answer to the same question that is being generated will do
   */
  record Lookup(
      @Nullable Result result,
      @Nullable CachedAnswer answer,
      @Nullable String key,
      Duration ttl,
      boolean joins) {
    private static final Lookup NO_CACHE = new Lookup(null, null, null, Duration.ZERO, false);

    /** As a client is told. */
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

  /** Looks for an answer; waits for Redis for a moment at most. */
  Lookup look(Call call) {
    CachePolicy policy = policies.apply(call.question().model());
    if (policy.scope() == Scope.OFF || !(call.question() instanceof ChatRequest chat)) {
      return Lookup.NO_CACHE;
    }
    String control = call.cacheControl().toLowerCase(Locale.ROOT);
    if (control.contains("no-store") || !repeatable(chat)) {
      return new Lookup(Result.BYPASS, null, null, policy.ttl(), false);
    }
    String key = key(policy.scope() == Scope.USER ? call.asker() : List.of(), chat);
    boolean fresh = control.contains("no-cache");
    try {
      Optional<CachedAnswer> known = fresh ? Optional.empty() : stored(key);
      return known
          .map(it -> new Lookup(Result.HIT, it, null, policy.ttl(), false))
          .orElseGet(() -> new Lookup(Result.MISS, null, key, policy.ttl(), !fresh));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Lookup(Result.ERROR, null, null, policy.ttl(), false);
    } catch (ExecutionException | TimeoutException e) { // health reports that Redis is away
      // a model still need not be asked twice at once
      return new Lookup(Result.ERROR, null, key, policy.ttl(), true);
    }
  }

  /** Keeps a complete answer, unless it is too large. Never waits. */
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
            .get(LOOK_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    return text == null ? Optional.empty() : EventJson.read(text);
  }

  /** Deterministic: temperature 0 or a seed. */
  private static boolean repeatable(ChatRequest request) {
    return request.temperature().orElse(1) == 0 || request.seed().isPresent();
  }

  /** A hash: nobody reads the question in Redis. */
  private static String key(List<String> asker, ChatRequest request) {
    ObjectNode question = request.body().deepCopy().without(BESIDE_THE_QUESTION);
    ObjectNode whole = SORTED.createObjectNode().put("route", request.model());
    asker.forEach(whole.putArray("asker")::add);
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
