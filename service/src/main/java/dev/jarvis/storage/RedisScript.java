package dev.jarvis.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Lua script that Redis runs. */
public final class RedisScript<T> {
  /** The commands, which are labels of metrics. */
  public static final List<String> COMMANDS = List.of("EVALSHA", "EVAL");

  private final String text;
  private final String sha1;
  private final ScriptOutputType output;

  /**
   * @param owner the class whose package has the resources
   * @param names of the resources, without the extension: the script is all of them, in this order
   */
  public RedisScript(Class<?> owner, ScriptOutputType output, String... names) {
    this.text =
        Stream.of(names).map(it -> read(owner, it + ".lua")).collect(Collectors.joining("\n"));
    this.sha1 = sha1(text);
    this.output = output;
  }

  /**
   * Runs the script, which is sent once and named by its hash from then on, with a span under the
   * current one. Never blocks and never throws.
   */
  public CompletionStage<T> run(Redis redis, List<String> keys, List<String> values) {
    String[] keyArray = keys.toArray(String[]::new);
    String[] valueArray = values.toArray(String[]::new);
    return redis.sendTraced(
        "EVALSHA",
        it ->
            it.<T>evalsha(sha1, output, keyArray, valueArray)
                .exceptionallyCompose(e -> unlessKnown(e, it, keyArray, valueArray)));
  }

  /**
   * The same, but the script is sent each time, so that it always runs before what is sent later:
   * an unknown hash would make it run after that.
   */
  public CompletionStage<T> runInOrder(Redis redis, List<String> keys, List<String> values) {
    String[] keyArray = keys.toArray(String[]::new);
    String[] valueArray = values.toArray(String[]::new);
    return redis.sendTraced("EVAL", it -> it.<T>eval(text, output, keyArray, valueArray));
  }

  /** The same, without a span, for what happens periodically: each would be a separate trace. */
  public CompletionStage<T> poll(Redis redis, List<String> keys, List<String> values) {
    String[] keyArray = keys.toArray(String[]::new);
    String[] valueArray = values.toArray(String[]::new);
    return redis.send(it -> it.<T>eval(text, output, keyArray, valueArray));
  }

  /** Redis forgets scripts when it restarts. */
  private CompletionStage<T> unlessKnown(
      Throwable error, RedisAsyncCommands<String, String> redis, String[] keys, String[] values) {
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    return cause instanceof RedisNoScriptException
        ? redis.eval(text, output, keys, values)
        : CompletableFuture.failedFuture(error);
  }

  private static String read(Class<?> owner, String resource) {
    try (InputStream in = owner.getResourceAsStream(resource)) {
      return new String(Objects.requireNonNull(in, resource).readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha1(String text) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-1").digest(text.getBytes(UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has SHA-1
    }
  }
}
