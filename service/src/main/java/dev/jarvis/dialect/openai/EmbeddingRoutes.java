package dev.jarvis.dialect.openai;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Permission;
import dev.jarvis.gateway.Pipeline;
import dev.jarvis.gateway.VectorAnswer;
import dev.jarvis.http.Access;
import dev.jarvis.http.ByteBudget;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Routes;
import dev.jarvis.identity.ActiveUsers;
import dev.jarvis.json.SharedBuffers;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code POST /v1/embeddings}, as <a
 * href="https://platform.openai.com/docs/api-reference/embeddings/create">OpenAI documents it</a>.
 */
public final class EmbeddingRoutes {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddingRoutes.class);

  /** Leaves open brackets open, so that a list that a fault interrupted does not look complete. */
  private static final JsonFactory JSON =
      SharedBuffers.factory().disable(StreamWriteFeature.AUTO_CLOSE_CONTENT).build();

  private final ByteBudget memory;
  private final ContentUrls contentUrls;
  private final ActiveUsers activeUsers;
  private final Pipeline pipeline;

  /**
   * @param memory for vectors
   */
  public EmbeddingRoutes(
      ByteBudget memory, ContentUrls contentUrls, ActiveUsers activeUsers, Pipeline pipeline) {
    this.memory = memory;
    this.contentUrls = contentUrls;
    this.activeUsers = activeUsers;
    this.pipeline = pipeline;
  }

  public void register(Routes routes) {
    routes.addJson(
        Endpoint.post("/v1/embeddings", Access.KEY)
            .permission(Permission.EMBEDDINGS)
            .operation("models", "createEmbedding", "Turns texts into vectors.")
            .body("dialect/openai/EmbeddingRequest")
            .answer(
                200, "A vector for each input, in the same order.", "dialect/openai/EmbeddingList")
            .responseHeaders("dialect/openai/CallHeaders")
            .errors(404, 409, 415, 422, 429, 451, 502, 504),
        this::embed);
  }

  private void embed(ObjectNode body, ServerRequest http, ServerResponse response) {
    Exchange exchange = Exchange.of(http);
    EmbeddingRequest request = request(body);
    Call call = Calls.of(http, request, false, Calls.endUser(body), activeUsers);
    contentUrls.check(body);
    boolean base64 = body.path("encoding_format").asText().equals("base64");
    Calls.answer(
        pipeline,
        call,
        exchange,
        response,
        answer -> {
          Calls.explain(answer.head(), response);
          Answer held = new HeldAnswer(answer, memory.of(exchange));
          send(response, request.model(), VectorAnswer.of(held), base64);
        });
  }

  /** The request in a body; a single input becomes a list of one. */
  private static EmbeddingRequest request(ObjectNode body) {
    JsonNode input = body.path("input");
    if (input.isTextual() || input.path(0).isNumber()) {
      body.putArray("input").add(input);
    }
    return new EmbeddingRequest(body.path("model").asText(), body, null);
  }

  /** Sends the vectors. A fault of the service in between leaves a visibly incomplete body. */
  private static void send(
      ServerResponse response, String model, VectorAnswer answer, boolean base64) {
    response.header(HeaderNames.CONTENT_TYPE, "application/json");
    try {
      write(response.outputStream(), model, answer, base64);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // the client disconnected
    } catch (UncheckedIOException | ServerConnectionException e) {
      throw e; // likewise
    } catch (RuntimeException | Error e) {
      OutOfMemory.endProcessIf(e);
      LOG.atError().setCause(e).log("vectors could not be sent");
      throw new CloseConnectionException("vectors could not be sent", e);
    }
  }

  /**
   * Streams the list, because in a tree each number would be an object. Closes the stream, which
   * completes the body, only if all of it was written.
   */
  @SuppressWarnings("resource") // not closed after a failure
  static void write(OutputStream out, String model, VectorAnswer answer, boolean base64)
      throws IOException {
    JsonGenerator json = JSON.createGenerator(out);
    json.writeStartObject();
    json.writeStringField("object", "list");
    json.writeArrayFieldStart("data");
    for (int i = 0; i < answer.vectors().size(); i++) {
      json.writeStartObject();
      json.writeStringField("object", "embedding");
      json.writeNumberField("index", i);
      vector(json, answer.vectors().get(i), base64);
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeStringField("model", model);
    json.writeObjectFieldStart("usage");
    json.writeNumberField("prompt_tokens", answer.usage().inputTokens());
    json.writeNumberField("total_tokens", answer.usage().inputTokens());
    if (answer.usage().estimated()) {
      json.writeBooleanField("estimated", true);
    }
    json.writeEndObject();
    json.writeEndObject();
    json.close();
  }

  private static void vector(JsonGenerator json, float[] vector, boolean base64)
      throws IOException {
    if (base64) {
      json.writeStringField("embedding", base64(vector));
      return;
    }
    json.writeArrayFieldStart("embedding");
    for (float number : vector) {
      json.writeNumber(number);
    }
    json.writeEndArray();
  }

  /** OpenAI's format: 32-bit floats, little-endian, in Base64. */
  private static String base64(float[] vector) {
    ByteBuffer bytes =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
