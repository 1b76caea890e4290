package dev.jarvis.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.Json;
import dev.jarvis.json.SharedBuffers;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.Route;
import dev.jarvis.model.Route.Cache.Scope;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Answers given before, in Redis: the same question of the same user to the same route gets the
 * same answer, where the route has a cache and the answer does not depend on chance. Who asks while
 * the same question is being answered in this process waits for that answer. While Redis is away
 * models are asked. Thread-safe.
 */
public final class AnswerCache {
  /** What came of looking. */
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

  private static final String PREFIX = "jarvis:answer:";
  private static final int MAX_CHARS = 1 << 20;

  /** A model would have begun to answer by then. */
  private static final Duration LOOK_LIMIT = Duration.ofMillis(250);

  /** What of a request does not change the answer. */
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
  private final Duration waitLimit;

  /** Answers that somebody waits for; one for each question that is being answered now. */
  private final Map<String, CompletableFuture<Optional<CachedAnswer>>> coming =
      new ConcurrentHashMap<>();

  /**
   * @param waitLimit how long somebody waits for another's answer to the same question
   */
  public AnswerCache(Redis redis, Instruments instruments, Duration waitLimit) {
    this.redis = redis;
    this.instruments = instruments;
    this.waitLimit = waitLimit;
    for (Result result : Result.values()) {
      instruments.add(Metric.LLM_CACHE_REQUESTS, 0, result.label());
    }
    for (String command : List.of("GET", "SET")) {
      instruments.add(Metric.DB_CLIENT_OPERATION_ERRORS, 0, "redis", command);
    }
  }

  /**
   * What the cache has for one request. To be closed when the answer has ended: others may wait for
   * it.
   */
  final class Look implements AutoCloseable {
    private final Result result;
    private final @Nullable CachedAnswer answer;
    private final @Nullable String key;
    private final Duration ttl;
    private final @Nullable CompletableFuture<Optional<CachedAnswer>> promise;
    private Optional<CachedAnswer> kept = Optional.empty();

    private Look(
        Result result,
        @Nullable CachedAnswer answer,
        @Nullable String key,
        Duration ttl,
        @Nullable CompletableFuture<Optional<CachedAnswer>> promise) {
      this.result = result;
      this.answer = answer;
      this.key = key;
      this.ttl = ttl;
      this.promise = promise;
      instruments.add(Metric.LLM_CACHE_REQUESTS, 1, result.label());
    }

    Result result() {
      return result;
    }

    /** The answer that was given before; null if there is none. */
    @Nullable CachedAnswer answer() {
      return answer;
    }

    /** Whether the answer is to be kept. */
    boolean keeps() {
      return key != null && answer == null;
    }

    /** Keeps a complete answer, unless it is too large. Never waits. */
    void keep(CachedAnswer complete) {
      String text = complete.text();
      if (key == null || text.length() > MAX_CHARS) {
        return;
      }
      kept = Optional.of(complete);
      var ignored = redis.sendTraced("SET", it -> it.set(key, text, SetArgs.Builder.px(ttl)));
    }

    @Override
    public void close() {
      if (promise != null && key != null) {
        coming.remove(key, promise);
        promise.complete(kept);
      }
    }
  }

  /**
   * Looks for an answer; waits for one that is on its way.
   *
   * @param asker who asks: the key's user and the end user
   * @param cacheControl the client's header {@code Cache-Control}; may be empty
   * @return empty where the route has no cache
   */
  Optional<Look> look(
      Route.Cache cache, ChatRequest request, List<String> asker, String cacheControl) {
    if (cache.scope() == Scope.OFF) {
      return Optional.empty();
    }
    String control = cacheControl.toLowerCase(Locale.ROOT);
    if (control.contains("no-store") || !repeatable(request)) {
      return Optional.of(new Look(Result.BYPASS, null, null, cache.ttl(), null));
    }
    String key = key(cache.scope() == Scope.USER ? asker : List.of(), request);
    return Optional.of(look(key, cache.ttl(), control.contains("no-cache")));
  }

  private Look look(String key, Duration ttl, boolean fresh) {
    try {
      Optional<CachedAnswer> known = fresh ? Optional.empty() : stored(key);
      if (known.isPresent()) {
        return new Look(Result.HIT, known.get(), key, ttl, null);
      }
      CompletableFuture<Optional<CachedAnswer>> promise = new CompletableFuture<>();
      CompletableFuture<Optional<CachedAnswer>> others =
          fresh ? null : coming.putIfAbsent(key, promise);
      if (others == null) {
        return new Look(Result.MISS, null, key, ttl, promise);
      }
      known = others.get(waitLimit.toMillis(), TimeUnit.MILLISECONDS);
      return known.isPresent()
          ? new Look(Result.HIT, known.get(), key, ttl, null)
          : new Look(Result.MISS, null, key, ttl, null);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Look(Result.ERROR, null, null, ttl, null);
    } catch (ExecutionException | TimeoutException e) { // health tells that Redis is away
      return new Look(Result.ERROR, null, null, ttl, null);
    }
  }

  private Optional<CachedAnswer> stored(String key)
      throws InterruptedException, ExecutionException, TimeoutException {
    String text =
        redis
            .<@Nullable String>sendTraced("GET", it -> it.get(key))
            .toCompletableFuture()
            .get(LOOK_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    return text == null ? Optional.empty() : CachedAnswer.of(text);
  }

  /** Chance has no part in the answer. */
  private static boolean repeatable(ChatRequest request) {
    return request.temperature().orElse(1) == 0 || request.seed().isPresent();
  }

  /** A hash: nobody reads the question in Redis. */
  private static String key(List<String> asker, ChatRequest request) {
    ObjectNode question = request.body().deepCopy().without(BESIDE_THE_QUESTION);
    ObjectNode whole = Json.object().put("route", request.model());
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
