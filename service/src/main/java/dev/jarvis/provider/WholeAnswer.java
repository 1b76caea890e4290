package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.jarvis.json.SharedBuffers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The JSON values of a body that has arrived.
 *
 * @param values in their order; not empty, except before {@code [DONE]}
 * @param pieces whether they are the pieces of a stream, rather than one whole answer
 * @param done whether {@code [DONE]} followed them
 */
public record WholeAnswer(List<JsonNode> values, boolean pieces, boolean done) {
  private static final ObjectReader JSON = SharedBuffers.mapper().readerFor(JsonNode.class);

  /** Reads JSON values, or events up to {@code [DONE]}. */
  static WholeAnswer read(PeekStream body) throws IOException, ProviderException {
    body.refuseHtml();
    int first = body.peek();
    WholeAnswer answer = first >= 0 && ":deir".indexOf(first) >= 0 ? events(body) : json(body);
    if (answer.values().isEmpty() && !answer.done()) {
      throw LineStream.invalidResponse(new IOException("the response has no JSON"));
    }
    return answer;
  }

  private static WholeAnswer json(PeekStream body) throws IOException {
    try (MappingIterator<JsonNode> values = JSON.readValues(body)) {
      List<JsonNode> all = new ArrayList<>();
      while (values.hasNextValue()) {
        all.add(values.nextValue());
      }
      return new WholeAnswer(all, all.size() > 1, false);
    }
  }

  /** A body that breaks off may be a complete answer. */
  private static WholeAnswer events(PeekStream body) throws IOException, ProviderException {
    List<JsonNode> all = new ArrayList<>();
    try (LineReader lines = new LineReader(body)) {
      EventReader events = new EventReader(EventReader.Framing.EVENTS, lines::reserve);
      byte[] line = line(lines);
      while (line != null) {
        for (JsonNode value : events.line(line)) {
          if (EventReader.DONE.equals(value)) {
            return new WholeAnswer(all, true, true);
          }
          if (!value.isNull()) {
            all.add(value);
          }
        }
        line = line(lines);
      }
      all.addAll(lastOf(events, all.isEmpty()));
    }
    return new WholeAnswer(all, true, false);
  }

  private static byte @Nullable [] line(LineReader lines) throws IOException {
    try {
      return lines.next();
    } catch (AnswerTooLongException e) {
      throw e;
    } catch (IOException e) {
      return null;
    }
  }

  private static List<JsonNode> lastOf(EventReader events, boolean required)
      throws ProviderException {
    try {
      return events.end();
    } catch (ProviderException e) {
      if (required) {
        throw e;
      }
      return List.of();
    }
  }
}
