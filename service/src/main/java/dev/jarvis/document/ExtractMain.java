package dev.jarvis.document;

import dev.jarvis.http.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The process that reads one file: {@code TYPE FILE MAX_CHARS MAX_PAGES}. Prints a JSON object on a
 * line for each section of text, then one that says {@code done}, or {@code error} and why. Ends
 * with another status than 0 where the file is not at fault, or took too much memory.
 */
final class ExtractMain {
  /** The status of the option ExitOnOutOfMemoryError. */
  static final int OUT_OF_MEMORY = 3;

  static final int DISK_FULL = 4;

  private ExtractMain() {}

  public static void main(String[] args) throws IOException {
    endWithParent();
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err); // libraries may print
    SectionWriter writer =
        new SectionWriter(Integer.parseInt(args[2])) {
          @Override
          void write(Section section) {
            print(out, Json.object().put("page", section.page()).put("text", section.text()));
          }
        };
    try {
      Path file = Path.of(args[1]);
      switch (MediaType.valueOf(args[0])) {
        case HTML -> HtmlText.read(file, writer);
        case PDF -> PdfText.read(file, Integer.parseInt(args[3]), writer);
        case DOCX -> DocxText.read(file, writer);
        case TEXT, MARKDOWN -> PlainText.read(file, writer);
      }
      writer.end();
      print(out, Json.object().put("done", true));
    } catch (ExtractionException e) {
      print(out, Json.object().put("error", e.code()).put("message", e.getMessage()));
    } catch (OutOfMemoryError e) {
      // where a library caught and wrapped it, the option did not act
      Runtime.getRuntime().halt(OUT_OF_MEMORY);
    } catch (Exception | StackOverflowError e) {
      if (WorkFolder.isFull(e)) {
        Runtime.getRuntime().halt(DISK_FULL);
      }
      print(
          out,
          Json.object()
              .put("error", "broken_file")
              .put("message", "The file cannot be read: it is broken."));
    }
    out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static void print(PrintStream out, com.fasterxml.jackson.databind.JsonNode line) {
    out.println(new String(Json.bytes(line), StandardCharsets.UTF_8));
  }

  /** Standard input ends when the parent does, however it does. */
  private static void endWithParent() {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // nothing is sent
                }
              } catch (IOException e) {
                // the same
              }
              Runtime.getRuntime().halt(1);
            });
  }
}
