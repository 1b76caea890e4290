package dev.jarvis.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.json.SharedBuffers;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads JSON bodies within limits of size, nesting and memory. Thread-safe. */
public final class JsonBody {
  private static final int FIRST_BYTES = 16 << 10;

  private final int maxBytes;
  private final int maxDepth;
  private final ByteBudget budget;
  private final ObjectMapper mapper;

  /**
   * Creates a reader with limits.
   *
   * @param maxBytes the maximum size of a body
   * @param maxDepth the maximum depth of nesting
   * @param budget for the memory of all requests in progress
   */
  public JsonBody(int maxBytes, int maxDepth, ByteBudget budget) {
    this.budget = budget;
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
   * The body as a JSON object. Its memory is reserved until the request ends.
   *
   * @throws ApiException.InvalidRequest if there is no body, or it is not a JSON object in UTF-8,
   *     or is nested too deeply
   * @throws ApiException.UnsupportedContentEncoding if it has another coding than gzip
   * @throws ApiException.BodyTooLarge if it is larger than allowed, or its values would take more
   *     memory than one user may reserve
   * @throws ApiException.BodyTooSlow if it does not arrive in time
   * @throws ApiException.AmbiguousFraming if its chunks are malformed
   * @throws ApiException.Overloaded if other requests have reserved the memory
   */
  public ObjectNode object(ServerRequest request) {
    ByteBudget.Reservation memory = budget.of(Exchange.of(request));
    if (!request.content().hasEntity()) {
      throw noBody();
    }
    Buffer body = read(request, memory);
    if (body.length == 0) {
      throw noBody();
    }
    if (body.hasNul()) {
      throw invalid(body.notUtf8());
    }
    try {
      long weight = weight(body);
      if (weight + body.length > budget.share()) {
        throw tooHeavy(weight); // permanent, unlike an overload
      }
      memory.resize(weight + body.length);
      JsonNode node = mapper.readTree(body.reader());
      memory.resize(weight); // the bytes are garbage now
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw invalid("The body must be a JSON object.");
    } catch (StreamConstraintsException e) {
      throw invalid(
          "The body exceeds a limit of JSON: the maximum is %d levels of nesting and 1000 digits of a number."
              .formatted(maxDepth));
    } catch (JsonProcessingException e) {
      throw invalid(JsonProblem.of(e));
    } catch (CharacterCodingException e) {
      throw invalid(body.notUtf8());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // impossible, because the body is in memory
    }
  }

  private long weight(Buffer body) throws IOException {
    if (JsonWeight.isSmall(body.length)) {
      return JsonWeight.assumed(body.length);
    }
    try (JsonParser parser = mapper.createParser(body.reader())) {
      return JsonWeight.counted(parser, body.length);
    }
  }

  private Buffer read(ServerRequest request, ByteBudget.Reservation memory) {
    long declared = request.headers().contentLength().orElse(-1);
    if (declared > maxBytes) {
      throw tooLarge();
    }
    InputStream in =
        RequestContent.open(request, maxBytes); // not closed, because that would read it to its end
    boolean known = declared >= 0 && !RequestContent.isGzip(request.headers());
    Buffer buffer = new Buffer(memory, known ? (int) declared : FIRST_BYTES);
    // the server holds a whole chunk in memory before it returns the first byte of it
    ClientConnection.current().gathering(buffer::gathered);
    try {
      while (buffer.readFrom(in)) {
        if (buffer.length > maxBytes) {
          throw tooLarge();
        }
      }
      return buffer;
    } catch (RequestException e) {
      if (e.status().equals(Status.REQUEST_TIMEOUT_408)) {
        throw new ApiException.BodyTooSlow("The body did not arrive in time.");
      }
      throw e.status().equals(Status.REQUEST_ENTITY_TOO_LARGE_413) ? tooLarge() : broken();
    } catch (CloseConnectionException | ApiException e) {
      throw e; // the client left, or the body is refused
    } catch (IOException | RuntimeException e) {
      // malformed chunks cause many kinds of exceptions; where the next request begins is unknown
      throw broken();
    }
  }

  /** A body that is arriving. Its memory is reserved before it is allocated. */
  private static final class Buffer {
    private final ByteBudget.Reservation memory;
    private byte[] bytes;
    private int length;

    Buffer(ByteBudget.Reservation memory, int capacity) {
      this.memory = memory;
      memory.resize(capacity);
      this.bytes = new byte[capacity];
    }

    /** Reads some bytes; false at the end. */
    boolean readFrom(InputStream in) throws IOException {
      if (length < bytes.length) {
        int read = in.read(bytes, length, bytes.length - length);
        length += Math.max(read, 0);
        return read >= 0;
      }
      int next = in.read(); // a body of the declared length ends here
      if (next >= 0) {
        int larger = 2 * Math.max(length, FIRST_BYTES);
        memory.resize((long) bytes.length + larger);
        bytes = Arrays.copyOf(bytes, larger);
        memory.resize(larger);
        bytes[length++] = (byte) next;
      }
      return next >= 0;
    }

    /**
     * Decodes the bytes; fails if they are not UTF-8. Ignores a byte order mark, as RFC 8259,
     * section 8.1, allows.
     */
    Reader reader() {
      int start = startsWith(0xef, 0xbb, 0xbf) ? 3 : 0;
      return new InputStreamReader(
          new ByteArrayInputStream(bytes, start, length - start),
          StandardCharsets.UTF_8.newDecoder());
    }

    /** Whether one of the first two characters of the JSON is NUL, as in UTF-16 and UTF-32. */
    boolean hasNul() {
      return length > 1 && (bytes[0] == 0 || bytes[1] == 0);
    }

    String notUtf8() {
      boolean marked = startsWith(0xfe, 0xff) || startsWith(0xff, 0xfe);
      return marked || hasNul()
          ? "The body seems to be UTF-16 or UTF-32; it must be UTF-8."
          : "The body is not valid UTF-8.";
    }

    private boolean startsWith(int... mark) {
      for (int i = 0; i < mark.length; i++) {
        if (i >= length || (bytes[i] & 0xff) != mark[i]) {
          return false;
        }
      }
      return true;
    }

    /** Reserves what the server holds in addition. */
    void gathered(int more) {
      memory.resize((long) bytes.length + more);
    }
  }

  private ApiException tooLarge() {
    return new ApiException.BodyTooLarge(
        "The body is too large; the maximum is %d bytes.".formatted(maxBytes));
  }

  private static ApiException broken() {
    return new ApiException.AmbiguousFraming(
        "The body cannot be read, because its chunks are malformed.");
  }

  private ApiException tooHeavy(long weight) {
    return new ApiException.BodyTooLarge(
        "The body has too many values: they would take %d bytes of memory; the maximum is %d."
            .formatted(weight, budget.share()));
  }

  private static ApiException noBody() {
    return invalid("The body is empty; it must be a JSON object.");
  }

  private static ApiException invalid(String message) {
    return new ApiException.InvalidRequest(message, null, "invalid_body");
  }
}
