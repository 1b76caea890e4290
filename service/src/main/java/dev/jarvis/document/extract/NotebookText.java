package dev.jarvis.document.extract;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;

/** Reads a Jupyter notebook: its text and programs, and what these printed; no images. */
final class NotebookText {
  private NotebookText() {}

  static void read(Path file, SectionWriter writer) throws IOException, ExtractionException {
    JsonNode notebook;
    try {
      notebook = new ObjectMapper().readTree(PlainText.text(file, writer));
    } catch (JsonProcessingException e) {
      throw new ExtractionException("broken_file", "The file is not a notebook: it is not JSON.");
    }
    JsonNode cells =
        notebook.has("cells") ? notebook.path("cells") : notebook.at("/worksheets/0/cells");
    MarkdownText text = new MarkdownText(writer);
    for (JsonNode cell : cells) {
      String source = text(cell.has("source") ? cell.path("source") : cell.path("input"));
      if (cell.path("cell_type").asText().equals("code")) {
        text.addLines(source);
        for (JsonNode output : cell.path("outputs")) {
          text.addLines(ControlCharacters.withoutEscapes(output(output)));
        }
      } else {
        text.add(source);
      }
    }
  }

  private static String output(JsonNode output) {
    if (output.has("ename")) {
      return output.path("ename").asText() + ": " + output.path("evalue").asText();
    }
    return text(output.has("text") ? output.path("text") : output.path("data").path("text/plain"));
  }

  /** Texts are strings or lists of lines. */
  private static String text(JsonNode node) {
    StringBuilder text = new StringBuilder(node.isTextual() ? node.asText() : "");
    node.forEach(line -> text.append(line.asText()));
    return text.toString();
  }
}
