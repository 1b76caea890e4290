package dev.jarvis.provider;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a model server is and how long it may take.
 *
 * @param name the provider's name, as routes, prices and telemetry call it
 * @param url the server's base; a path in it is kept
 * @param apiKey sent as bearer token where given
 * @param connectTimeout until a connection stands
 * @param firstTokenTimeout from the question to the first piece of the answer; long, for a model
 *     may have to be loaded first
 * @param betweenTokensTimeout between two pieces of an answer
 * @param answerTimeout from the question to the end of a whole answer
 * @param listTimeout for the whole list of models
 * @param alwaysStreams whether the server is asked for streams also where the client wants the
 *     answer whole
 */
public record ModelServerConfig(
    String name,
    URI url,
    @Nullable String apiKey,
    Duration connectTimeout,
    Duration firstTokenTimeout,
    Duration betweenTokensTimeout,
    Duration answerTimeout,
    Duration listTimeout,
    boolean alwaysStreams) {

  public ModelServerConfig {
    if (!("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
        || url.getHost() == null) {
      throw new IllegalArgumentException("the URL of " + name + " is not http(s) with a host");
    }
    requirePositive("connectTimeout", connectTimeout);
    requirePositive("firstTokenTimeout", firstTokenTimeout);
    requirePositive("betweenTokensTimeout", betweenTokensTimeout);
    requirePositive("answerTimeout", answerTimeout);
    requirePositive("listTimeout", listTimeout);
  }

  /** The limits that suit a server near by. */
  public static ModelServerConfig of(String name, URI url) {
    return new ModelServerConfig(
        name,
        url,
        null,
        Duration.ofSeconds(2),
        Duration.ofSeconds(120),
        Duration.ofSeconds(60),
        Duration.ofMinutes(10),
        Duration.ofSeconds(2),
        false);
  }

  URI endpoint(String path) {
    String base = url.toString();
    return URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + path);
  }

  /** Without the key, and without what else a URL may hold of secrets. */
  @Override
  public String toString() {
    return name + " at " + url.getScheme() + "://" + url.getHost();
  }

  private static void requirePositive(String name, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(name + " must be positive: " + value);
    }
  }
}
