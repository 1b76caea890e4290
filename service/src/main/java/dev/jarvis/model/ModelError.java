package dev.jarvis.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;

/**
 * A model server's error in Ollama's form ({@code {"error": "…"}}) or OpenAI's ({@code {"error":
 * {"message": "…"}}}), and what its statuses mean.
 */
final class ModelError {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LIMIT_CHARS = 300;

  private ModelError() {}

  /**
   * What a status other than 200 says of a chat.
   *
   * @param retryAfter when the server wants to be asked again; zero where it does not say
   */
  static ModelException of(int status, Duration retryAfter, byte[] body) {
    String text = text(body);
    if (status == 404) {
      return new ModelException.NotFound("The model server has no such model.");
    }
    // Ollama's own queue is full: its words tell that from a proxy without an upstream.
    if (status == 429 || (status == 503 && text.contains("server busy"))) {
      return new ModelException.Busy("The model server is busy.", retryAfter);
    }
    if (status == 401 || status == 403) {
      // our key is wrong: not the client's fault, and not for its eyes
      return new ModelException.Unavailable(
          "The model server does not accept the gateway's key.", new IOException(text));
    }
    // Ollama 0.11 answers with 500 where a model that only chats is asked for embeddings
    boolean refused = status == 500 && text.contains("does not support");
    if (refused || status == 400 || status == 413 || status == 422) {
      return new ModelException.Refused(
          text.isEmpty() ? "The model server refused the request." : text);
    }
    return new ModelException.Unavailable(
        "The model server answered with status " + status + ".", new IOException(text));
  }

  /** The bounded text of an error, without control characters; empty if there is none. */
  static String text(JsonNode node) {
    JsonNode error = node.path("error");
    String text = error.isTextual() ? error.textValue() : error.path("message").asText();
    text = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return text.length() <= LIMIT_CHARS ? text : text.substring(0, LIMIT_CHARS) + "…";
  }

  private static String text(byte[] body) {
    try {
      return text(JSON.readTree(body));
    } catch (IOException e) {
      return "";
    }
  }
}
