package dev.jarvis.model;

import java.net.URI;
import java.time.Duration;

/**
 * Where Ollama is and how long it may take.
 *
 * @param url the server's base, for example {@code http://ollama:11434}; a path before {@code /api}
 *     is kept
 * @param connectTimeout until a connection stands
 * @param firstTokenTimeout from the question to the first line of the answer; long, for a model may
 *     have to be loaded first
 * @param betweenTokensTimeout between two lines of an answer
 * @param listTimeout for the whole list of models
 */
public record OllamaConfig(
    URI url,
    Duration connectTimeout,
    Duration firstTokenTimeout,
    Duration betweenTokensTimeout,
    Duration listTimeout) {

  public OllamaConfig {
    if (!("http".equals(url.getScheme()) || "https".equals(url.getScheme()))
        || url.getHost() == null) {
      throw new IllegalArgumentException("not an http(s) URL with a host: " + url);
    }
    requirePositive("connectTimeout", connectTimeout);
    requirePositive("firstTokenTimeout", firstTokenTimeout);
    requirePositive("betweenTokensTimeout", betweenTokensTimeout);
    requirePositive("listTimeout", listTimeout);
  }

  /** The limits that suit a server near by. */
  public static OllamaConfig of(URI url) {
    return new OllamaConfig(
        url,
        Duration.ofSeconds(2),
        Duration.ofSeconds(120),
        Duration.ofSeconds(60),
        Duration.ofSeconds(2));
  }

  URI endpoint(String path) {
    String base = url.toString();
    return URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + path);
  }

  private static void requirePositive(String name, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(name + " must be positive: " + value);
    }
  }
}
