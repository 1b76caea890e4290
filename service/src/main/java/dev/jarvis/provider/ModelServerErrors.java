package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.time.Duration;
import java.util.regex.Pattern;

/**
 * Translates a model server's error responses into {@link ProviderException}s: the status, and the
 * text in Ollama's form ({@code {"error": "…"}}) or OpenAI's ({@code {"error": {"message": "…"}}}),
 * with addresses and keys masked.
 */
public final class ModelServerErrors {
  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final int LIMIT_CHARS = 300;

  /** Longer texts are cut before keys are masked. */
  private static final int MASKED_CHARS = 2_000;

  /**
   * URLs; IPv4 and IPv6 addresses, host names and {@code localhost}, each with its port. A name
   * without dots before a number below 1000 may be anything ({@code limit:512}): it counts as a
   * host if the port is a web server's or the words before it suggest so. Names of internal domains
   * need no port.
   */
  private static final Pattern ADDRESS =
      Pattern.compile(
          "\\b[a-z][a-z0-9+.-]{0,20}://[^\\s\"'<>)]+"
              + "|\\b\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d{1,5})?\\b"
              + "|\\[[0-9a-f:.]*:[0-9a-f:.]*\\](?::\\d{1,5})?"
              + "|\\blocalhost\\b(?::\\d{1,5})?"
              + "|\\b[a-z0-9][a-z0-9-]*(?:\\.[a-z0-9-]+)*"
              + "\\.(?:internal|local|localdomain|svc|lan|corp|home\\.arpa)(?![.-]?\\w)"
              + "(?::\\d{1,5})?"
              + "|\\b[a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)*:\\d{4,5}\\b"
              + "|\\b[a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)*\\.[a-z][a-z0-9-]*:\\d{2,3}\\b"
              + "|\\b[a-z][a-z0-9-]*:(?:80|443)\\b"
              + "|(?<=\\b(?:tcp|host|server|upstream|connect to|connecting to|connection to)\\s)"
              + "[a-z][a-z0-9-]*:\\d{1,3}\\b",
          Pattern.CASE_INSENSITIVE);

  /** Bearer tokens, keys by their usual prefixes, JWTs, and long words of letters and digits. */
  private static final Pattern SECRET =
      Pattern.compile(
          "\\bbearer\\s+[^\\s\"',;]+"
              + "|\\b(?:sk|pk|rk|hf|gsk|xai)[-_][\\w*.-]{6,}"
              + "|\\bAIza[\\w-]{10,}"
              + "|\\beyJ[\\w-]+\\.[\\w-]+(?:\\.[\\w-]*)?"
              + "|\\b(?=[a-z_]*\\d)(?=\\d*[a-z_])\\w{32,}\\b",
          Pattern.CASE_INSENSITIVE);

  private ModelServerErrors() {}

  /**
   * The exception for a response with a status other than 200.
   *
   * @param retryAfter the server's {@code Retry-After}; zero if there is none
   */
  static ProviderException of(int status, Duration retryAfter, byte[] body) {
    String text = text(body);
    if (status == 404) {
      return new ProviderException.NotFound("The model server has no such model.");
    }
    // Ollama's queue is full; the text distinguishes this from a proxy without an upstream
    if (status == 429 || (status == 503 && text.contains("server busy"))) {
      return new ProviderException.Busy("The model server is busy.", retryAfter);
    }
    if (status == 401 || status == 403) {
      // the configured key is wrong: not the client's fault, and none of its business
      return new ProviderException.Unavailable(
          "The model server rejected JARVIS's API key.", new IOException(text));
    }
    // Ollama 0.11 answers with 500 if a chat model is asked for embeddings
    boolean refused = status == 500 && text.contains("does not support");
    if (refused || status == 400 || status == 413 || status == 422) {
      String message =
          text.isEmpty()
              ? "The model server refused the request."
              : ADDRESS.matcher(text).replaceAll("[address]");
      return ContextLength.exceeded(text)
          ? new ProviderException.Refused(message, "messages", ContextLength.EXCEEDED)
          : new ProviderException.Refused(message);
    }
    return new ProviderException.Unavailable(
        "The model server answered with status " + status + ".", new IOException(text));
  }

  /**
   * The text of an error, bounded, without control characters and keys; empty if there is none. For
   * the log: addresses, which an operator needs, are not masked.
   */
  public static String text(JsonNode node) {
    JsonNode error = node.path("error");
    String text = error.isTextual() ? error.textValue() : error.path("message").asText();
    text = bounded(text, MASKED_CHARS).replaceAll("\\p{Cntrl}+", " ").strip();
    return bounded(SECRET.matcher(text).replaceAll("[secret]"), LIMIT_CHARS);
  }

  private static String bounded(String text, int chars) {
    return text.length() <= chars ? text : text.substring(0, chars) + "…";
  }

  private static String text(byte[] body) {
    try {
      return text(JSON.readTree(body));
    } catch (IOException e) {
      return "";
    }
  }
}
