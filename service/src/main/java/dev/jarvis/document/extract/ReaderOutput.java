package dev.jarvis.document.extract;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.sandbox.Layer;
import dev.jarvis.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.util.EnumSet;
import java.util.Set;

/**
 * What the process of {@link ExtractMain} prints. A file may have taken over that process, so
 * nothing is believed of it: its output is bounded, and its text is checked once more.
 *
 * @param layers of the sandbox, as the first stage reports them
 */
record ReaderOutput(Extraction extraction, Set<Layer> layers) {
  private static final Set<String> FIELDS =
      Set.of(
          "page",
          "heading",
          "text",
          "lines",
          "encoding",
          "certain",
          "done",
          "error",
          "message",
          "sandbox");

  /**
   * Most bytes of output for a character of text: 6 for it (an escape), 6 for one of a heading, and
   * the frame of a section for each {@link SectionWriter#SECTION_CHARS}.
   */
  private static final int MAX_BYTES_PER_CHAR = 20;

  private static final int MAX_OTHER_BYTES = 1 << 16;
  private static final int MAX_MESSAGE = 500;
  private static final int MAX_NAME = 64;

  /**
   * Reads to the result, or to the end.
   *
   * @throws ExtractionException if the process refuses the file, or returns more than allowed
   * @throws IOException if the output is none of {@link ExtractMain}, or is not complete
   */
  static ReaderOutput read(InputStream out, int maxChars) throws IOException, ExtractionException {
    try (JsonParser json = factory(maxChars).createParser(out)) {
      return read(json, maxChars);
    } catch (StreamConstraintsException e) {
      throw SectionWriter.tooMuch(maxChars);
    }
  }

  private static JsonFactory factory(int maxChars) {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxStringLength(Math.max(maxChars, MAX_OTHER_BYTES))
                .maxDocumentLength((long) MAX_BYTES_PER_CHAR * maxChars + MAX_OTHER_BYTES)
                .maxNameLength(MAX_NAME)
                .build())
        .build();
  }

  private static ReaderOutput read(JsonParser json, int maxChars)
      throws IOException, ExtractionException {
    Set<Layer> layers = EnumSet.noneOf(Layer.class);
    CollectedText text = new CollectedText(maxChars);
    while (json.nextToken() != null) {
      ObjectNode line = object(json);
      if (line.has("error")) {
        throw refusal(line);
      }
      if (line.has("done")) {
        if (line.has("encoding")) {
          text.encoding(
              new TextEncoding(
                  name(line, "encoding", "[\\w.:+-]+"), line.path("certain").asBoolean()));
        }
        return new ReaderOutput(text.extraction(), layers);
      }
      if (line.has("sandbox")) {
        layers.addAll(Layer.parse(line.path("sandbox").asText()));
      } else {
        text.add(
            new Section(
                Math.max(line.path("page").asInt(), 0),
                line.path("heading").asText(),
                line.path("text").asText(),
                line.path("lines").asBoolean()));
      }
    }
    throw new IOException("the output ended without a result");
  }

  /** Reads an object without nested ones. */
  private static ObjectNode object(JsonParser json) throws IOException {
    ObjectNode object = Json.object();
    if (!json.isExpectedStartObjectToken()) {
      throw invalid();
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      if (!FIELDS.contains(name) || !json.nextToken().isScalarValue()) {
        throw invalid();
      }
      object.put(name, json.getText());
    }
    if (!json.hasToken(JsonToken.END_OBJECT)) {
      throw invalid();
    }
    return object;
  }

  private static ExtractionException refusal(ObjectNode line) throws IOException {
    String message = line.path("message").asText();
    return new ExtractionException(
        name(line, "error", "[a-z_]+"),
        message.substring(0, Math.min(message.length(), MAX_MESSAGE)).replaceAll("\\p{C}", " "));
  }

  private static String name(ObjectNode line, String field, String form) throws IOException {
    String name = line.path(field).asText();
    if (name.length() > MAX_NAME || !name.matches(form)) {
      throw invalid();
    }
    return name;
  }

  private static IOException invalid() {
    return new IOException("the output is invalid");
  }
}
