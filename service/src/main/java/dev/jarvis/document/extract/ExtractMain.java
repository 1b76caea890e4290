package dev.jarvis.document.extract;

import dev.jarvis.json.Json;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The process that reads one file: {@code TYPE FILE MAX_CHARS MAX_PAGES}. Prints a JSON object on a
 * line for each section of text, then one that says {@code done}, or {@code error} and why. Exits
 * with another status than 0 if the failure is not the file's, or if it ran out of memory.
 */
final class ExtractMain {
  /** The status of the option ExitOnOutOfMemoryError. */
  static final int OUT_OF_MEMORY = 3;

  static final int DISK_FULL = 4;

  /** The file is not at fault: standard error has the trace. */
  static final int BUG = 5;

  private static final int MAX_FRAMES = 40;
  private static final String OURS = "dev.jarvis.";

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
    } catch (Throwable e) {
      if (WorkFolder.isFull(e)) {
        Runtime.getRuntime().halt(DISK_FULL);
      }
      System.err.println(trace(e));
      if (!isFilesFault(e)) {
        System.err.flush();
        Runtime.getRuntime().halt(BUG);
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

  /**
   * Whether a parser stumbled over the file. Parsers throw unchecked exceptions too, so what counts
   * is whose code threw: the library's, or ours.
   */
  static boolean isFilesFault(Throwable e) {
    return switch (e) {
      case FileSystemException it -> false; // the file is not there, or may not be read
      case FileNotFoundException it -> false;
      case IOException it -> true;
      case StackOverflowError it -> true; // nested too deep
      case Exception it ->
          Arrays.stream(it.getStackTrace())
              .map(StackTraceElement::getClassName)
              .filter(name -> !name.matches("(java|javax|jdk|sun)\\..*"))
              .findFirst()
              .map(name -> !name.startsWith(OURS))
              .orElse(false);
      default -> false;
    };
  }

  /** Where an exception comes from, without messages: they may quote the file. */
  static String trace(Throwable e) {
    StringBuilder text = new StringBuilder(e.getClass().getName());
    Arrays.stream(e.getStackTrace())
        .limit(MAX_FRAMES)
        .forEach(frame -> text.append("\n  at ").append(frame));
    return e.getCause() == null ? text.toString() : text + "\ncaused by " + trace(e.getCause());
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
