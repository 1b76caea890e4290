package dev.jarvis.budget;

import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisScript;
import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * The Redis of the scripts, with the beginning of their keys and their clock. The keys are
 * described in {@code common.lua}.
 *
 * @param now milliseconds since the epoch; empty for the time of Redis
 */
record RedisKeys(Redis redis, Supplier<String> now) {
  /** The hash tag keeps all keys on one node of a cluster, as scripts require. */
  static final String PREFIX = "jarvis:{budgets}:";

  static <T> RedisScript<T> script(String name, ScriptOutputType output) {
    return new RedisScript<>(RedisKeys.class, output, "common", name);
  }

  /** For a call: with a span. */
  <T> CompletableFuture<T> run(RedisScript<T> script, List<String> values) {
    return script.run(redis, List.of(PREFIX), values(values)).toCompletableFuture();
  }

  /** For a call, before everything that is sent later. */
  <T> CompletableFuture<T> runInOrder(RedisScript<T> script, List<String> values) {
    return script.runInOrder(redis, List.of(PREFIX), values(values)).toCompletableFuture();
  }

  /** In the background. */
  <T> CompletableFuture<T> poll(RedisScript<T> script, List<String> values) {
    return script.poll(redis, List.of(PREFIX), values(values)).toCompletableFuture();
  }

  private List<String> values(List<String> values) {
    List<String> all = new ArrayList<>(values.size() + 1);
    all.add(now.get());
    all.addAll(values);
    return all;
  }
}
