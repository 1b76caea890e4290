package dev.jarvis.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.SharedBuffers;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads JSON bodies within limits of size and nesting. Thread-safe. */
public final class JsonBody {
  private final int maxBytes;
  private final int maxDepth;
  private final ObjectMapper mapper;

  /**
   * A reader with limits.
   *
   * @param maxBytes most bytes of a body
   * @param maxDepth most levels of nesting
   */
  public JsonBody(int maxBytes, int maxDepth) {
    this.maxBytes = maxBytes;
    this.maxDepth = maxDepth;
    StreamReadConstraints constraints =
        StreamReadConstraints.builder().maxNestingDepth(maxDepth).maxStringLength(maxBytes).build();
    this.mapper =
        JsonMapper.builder(SharedBuffers.factory().streamReadConstraints(constraints).build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
  }

  /**
   * The body as a JSON object.
   *
   * @throws ApiException.InvalidRequest if there is none, or it is no JSON object in UTF-8, or
   *     nested too deep
   * @throws ApiException.BodyTooLarge if it is larger than allowed
   * @throws ApiException.BodyTooSlow if it does not come in time
   * @throws ApiException.AmbiguousFraming if its chunks cannot be told apart
   */
  public ObjectNode object(ServerRequest request) {
    byte[] bytes = bytes(request);
    if (bytes.length == 0) {
      throw invalid("The request has no body; send a JSON object.");
    }
    try {
      JsonNode node = mapper.readTree(text(bytes));
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw invalid("The body must be a JSON object.");
    } catch (StreamConstraintsException e) {
      throw invalid(
          "The body goes beyond a limit: at most %d levels of nesting are allowed, and numbers of 1000 digits."
              .formatted(maxDepth));
    } catch (JsonProcessingException e) {
      throw invalid(
          "The body is not valid JSON: %s (line %d, column %d)."
              .formatted(
                  e.getOriginalMessage().lines().findFirst().orElse("cannot be parsed"),
                  e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                  e.getLocation() == null ? 1 : e.getLocation().getColumnNr()));
    }
  }

  private byte[] bytes(ServerRequest request) {
    if (!request.content().hasEntity()) {
      return new byte[0];
    }
    InputStream in = request.content().inputStream(); // to close it would read it to its end
    try {
      byte[] bytes = in.readNBytes(maxBytes + 1);
      if (bytes.length <= maxBytes) {
        return bytes;
      }
    } catch (RequestException e) {
      if (e.status().equals(Status.REQUEST_TIMEOUT_408)) {
        throw new ApiException.BodyTooSlow("The body did not come in time.");
      }
      throw e.status().equals(Status.REQUEST_ENTITY_TOO_LARGE_413) ? tooLarge() : broken();
    } catch (CloseConnectionException e) {
      throw e; // the client is gone
    } catch (IOException | RuntimeException e) {
      // broken chunks come as exceptions of many kinds: where the next request begins is unknown
      throw broken();
    }
    throw tooLarge();
  }

  private ApiException tooLarge() {
    return new ApiException.BodyTooLarge(
        "The body is larger than the %d bytes that are allowed.".formatted(maxBytes));
  }

  private static ApiException broken() {
    return new ApiException.AmbiguousFraming("The body cannot be read: its framing is broken.");
  }

  private static String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw invalid("The body is not valid UTF-8.");
    }
  }

  private static ApiException invalid(String message) {
    return new ApiException.InvalidRequest(message, null, "invalid_body");
  }
}
