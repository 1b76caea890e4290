package dev.jarvis.provider;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.jarvis.json.SharedBuffers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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
  private @Nullable ByteArrayOutputStream begun;
  private boolean begunData;
  private boolean any;
  private boolean unexpected;

  public EventReader(Framing expected) {
    this.expected = expected;
  }

  /** Whether the server used another framing than expected. */
  public boolean unexpected() {
    return unexpected;
  }

  /**
   * Reads a line.
   *
   * @return the value that is now complete; null if there is none
   * @throws ProviderException if the line is not what a model server may send
   */
  public @Nullable JsonNode line(byte[] line) throws ProviderException {
    int start = skipSpaces(line, 0, line.length);
    if (start == line.length) {
      return begunData ? finish() : null; // an empty line ends an event
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
      return null;
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
    return null;
  }

  /**
   * The value that the end of the answer completes; null if there is none.
   *
   * @throws ProviderException if the last value is not complete
   */
  public @Nullable JsonNode end() throws ProviderException {
    return begun == null ? null : finish();
  }

  private @Nullable JsonNode data(byte[] line, int from) throws ProviderException {
    int end = line.length;
    int start = skipSpaces(line, from, end);
    while (end > start && isSpace(line[end - 1])) {
      end--;
    }
    if (begun != null) {
      append(line, start, end);
      return null;
    }
    if (start == end) {
      return null;
    }
    if (end - start == DONE_BYTES.length && startsWith(line, start, DONE_BYTES)) {
      any = true;
      return DONE;
    }
    return value(line, start, end, true);
  }

  /** A value of a single line, in most cases. */
  private @Nullable JsonNode value(byte[] bytes, int start, int end, boolean data)
      throws ProviderException {
    try {
      JsonNode value = JSON.readTree(bytes, start, end - start);
      any = true;
      return value;
    } catch (IOException e) {
      JsonNode value =
          e instanceof JsonEOFException ? null : lenient(Arrays.copyOfRange(bytes, start, end));
      if (value == null) { // the next lines may complete it
        begun = new ByteArrayOutputStream(end - start + 64);
        begunData = data;
        append(bytes, start, end);
      }
      return value;
    }
  }

  private JsonNode finish() throws ProviderException {
    byte[] bytes = begun == null ? new byte[0] : begun.toByteArray();
    begun = null;
    begunData = false;
    JsonNode value = lenient(bytes);
    if (value == null) {
      throw LineStream.invalidResponse(new IOException("a line is not complete JSON"));
    }
    any = true;
    return value;
  }

  /** The value of bytes that may not be valid UTF-8; null if they are no JSON. */
  private static @Nullable JsonNode lenient(byte[] bytes) {
    try {
      return JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
    } catch (JacksonException e) {
      return null;
    }
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
