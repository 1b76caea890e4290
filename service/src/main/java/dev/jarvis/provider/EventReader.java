package dev.jarvis.provider;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.jarvis.json.SharedBuffers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the JSON values in the lines of an answer: in server-sent events, of one or several lines
 * of data, or without any framing, on a line or, if it is the only one, over several lines. Used by
 * one thread.
 */
public final class EventReader {
  /** What is read for the event {@code [DONE]}. */
  public static final JsonNode DONE = TextNode.valueOf("[DONE]");

  private static final ObjectMapper JSON = SharedBuffers.mapper();
  private static final byte[] DATA = "data:".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE_BYTES = "[DONE]".getBytes(StandardCharsets.US_ASCII);
  private static final String[] OTHER_FIELDS = {":", "event:", "id:", "retry:"};

  /** The lines of a server's answer. */
  public enum Framing {
    /** Server-sent events; lines with fields that the specification does not know are ignored. */
    EVENTS,
    /** A JSON value on each line; any other line is an error. */
    JSON_LINES
  }

  private final Framing expected;
  private final IntConsumer memory;
  private @Nullable ByteArrayOutputStream begun;
  private boolean begunData;
  private boolean any;
  private boolean unexpected;

  /**
   * @param memory is told the bytes of a value of several lines, as they gather
   */
  public EventReader(Framing expected, IntConsumer memory) {
    this.expected = expected;
    this.memory = memory;
  }

  /** Whether the server used another framing than expected. */
  public boolean unexpected() {
    return unexpected;
  }

  /**
   * Reads a line.
   *
   * @return the values that are now complete: none, one or, of some servers, several
   * @throws ProviderException if the line is not what a model server may send
   */
  public List<JsonNode> line(byte[] line) throws ProviderException {
    int start = skipSpaces(line, 0, line.length);
    if (start == line.length) {
      return begunData ? finish() : List.of(); // an empty line ends an event
    }
    if (startsWith(line, start, DATA)) {
      unexpected |= expected != Framing.EVENTS;
      return data(line, start + DATA.length);
    }
    if (begun != null && !begunData) {
      if (line[0] == '{') { // not indented: another value
        throw LineStream.invalidResponse(new IOException("a line is not complete JSON"));
      }
      append(line, 0, line.length);
      return List.of();
    }
    if (line[start] == '{') {
      unexpected |= expected == Framing.EVENTS;
      return value(line, start, line.length, false);
    }
    if (line[start] == '<' && !any) {
      throw ModelServerClient.html();
    }
    if (expected == Framing.JSON_LINES && !isOtherField(line, start)) {
      throw LineStream.invalidResponse(new IOException("a line is not a JSON object"));
    }
    return List.of();
  }

  /**
   * The values that the end of the answer completes.
   *
   * @throws ProviderException if the last value is not complete
   */
  public List<JsonNode> end() throws ProviderException {
    return begun == null ? List.of() : finish();
  }

  private List<JsonNode> data(byte[] line, int from) throws ProviderException {
    int end = line.length;
    int start = skipSpaces(line, from, end);
    while (end > start && isSpace(line[end - 1])) {
      end--;
    }
    if (begun != null) {
      append(line, start, end);
      return List.of();
    }
    if (start == end) {
      return List.of();
    }
    if (end - start == DONE_BYTES.length && startsWith(line, start, DONE_BYTES)) {
      any = true;
      return List.of(DONE);
    }
    return value(line, start, end, true);
  }

  /** A value of a single line, in most cases. */
  private List<JsonNode> value(byte[] bytes, int start, int end, boolean data)
      throws ProviderException {
    try (JsonParser parser = JSON.createParser(bytes, start, end - start)) {
      List<JsonNode> values = all(parser);
      any = true;
      return values;
    } catch (IOException e) {
      List<JsonNode> values =
          e instanceof JsonEOFException
              ? List.of()
              : lenient(Arrays.copyOfRange(bytes, start, end));
      if (values.isEmpty()) { // the next lines may complete it
        begun = new ByteArrayOutputStream(end - start + 64);
        begunData = data;
        append(bytes, start, end);
      }
      return values;
    }
  }

  private List<JsonNode> finish() throws ProviderException {
    byte[] bytes = begun == null ? new byte[0] : begun.toByteArray();
    begun = null;
    begunData = false;
    List<JsonNode> values = lenient(bytes);
    if (values.isEmpty()) {
      throw LineStream.invalidResponse(new IOException("a line is not complete JSON"));
    }
    any = true;
    return values;
  }

  /** The values of bytes that may not be valid UTF-8; none if they are no JSON. */
  private static List<JsonNode> lenient(byte[] bytes) {
    try (JsonParser parser = JSON.createParser(new String(bytes, StandardCharsets.UTF_8))) {
      return all(parser);
    } catch (IOException e) {
      return List.of();
    }
  }

  private static List<JsonNode> all(JsonParser parser) throws IOException {
    List<JsonNode> values = new ArrayList<>(1);
    JsonNode value = JSON.readTree(parser);
    while (value != null) {
      values.add(value);
      value = JSON.readTree(parser);
    }
    return values;
  }

  private void append(byte[] bytes, int start, int end) throws ProviderException {
    ByteArrayOutputStream to = begun;
    if (to == null) {
      throw new IllegalStateException("no value has begun");
    }
    to.write('\n');
    to.write(bytes, start, end - start);
    if (to.size() > ModelServerClient.CHAT_LIMIT_BYTES) {
      throw ModelServerClient.tooLong(
          new AnswerTooLongException("event", ModelServerClient.CHAT_LIMIT_BYTES));
    }
    memory.accept(to.size());
  }

  private static boolean isOtherField(byte[] line, int start) {
    for (String field : OTHER_FIELDS) {
      if (startsWith(line, start, field.getBytes(StandardCharsets.US_ASCII))) {
        return true;
      }
    }
    return false;
  }

  private static boolean startsWith(byte[] line, int start, byte[] prefix) {
    return line.length - start >= prefix.length
        && Arrays.equals(line, start, start + prefix.length, prefix, 0, prefix.length);
  }

  private static int skipSpaces(byte[] line, int start, int end) {
    int at = start;
    while (at < end && isSpace(line[at])) {
      at++;
    }
    return at;
  }

  private static boolean isSpace(byte it) {
    return it == ' ' || it == '\t';
  }
}
