package dev.jarvis.document.extract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.json.Json;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The process that reads one file: {@code TYPE FILE MAX_CHARS MAX_PAGES}. Prints one JSON object
 * per line for each section of text, then one with {@code done}, or with {@code error} and {@code
 * message}. Exits non-zero if the failure is not the file's fault, or if it ran out of memory.
 */
final class ExtractMain {
  /** The exit status of the JVM's option ExitOnOutOfMemoryError. */
  static final int OUT_OF_MEMORY = 3;

  static final int DISK_FULL = 4;

  /** The file is not at fault; standard error has the stack trace. */
  static final int BUG = 5;

  private static final int MAX_FRAMES = 40;
  private static final String OWN_PACKAGES = "dev.jarvis.";

  private ExtractMain() {}

  public static void main(String[] args) throws IOException {
    endWithParent();
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err); // because libraries may print
    SectionWriter writer =
        new SectionWriter(Integer.parseInt(args[2])) {
          @Override
          void write(Section section) {
            print(
                out,
                Json.object()
                    .put("page", section.page())
                    .put("heading", section.heading())
                    .put("lines", section.lines())
                    .put("text", section.text()));
          }
        };
    try {
      Path file = Path.of(args[1]);
      Reader.read(MediaType.valueOf(args[0]), file, Integer.parseInt(args[3]), writer);
      writer.end();
      print(out, done(writer.encoding()));
    } catch (OutOfMemoryError e) {
      // the JVM's option does not apply if a library throws the error itself
      Runtime.getRuntime().halt(OUT_OF_MEMORY);
    } catch (Throwable e) {
      if (WorkFolder.isFull(e)) {
        Runtime.getRuntime().halt(DISK_FULL);
      }
      ExtractionException refusal = refusal(e);
      if (refusal == null || refusal != e) {
        System.err.println(trace(e));
      }
      if (refusal == null) {
        System.err.flush();
        Runtime.getRuntime().halt(BUG);
      } else {
        print(out, Json.object().put("error", refusal.code()).put("message", refusal.getMessage()));
      }
    }
    out.flush();
    Runtime.getRuntime().halt(0);
  }

  /** Returns what the user is told about a failure, or null if it is not the file's fault. */
  static @Nullable ExtractionException refusal(Throwable e) {
    if (e instanceof ExtractionException refusal) {
      return refusal;
    }
    if (ZipLimits.exceeded(e)) {
      return new ExtractionException(
          "expands_too_much", "The file expands to more data than allowed.");
    }
    return isFilesFault(e) ? ExtractionException.broken() : null;
  }

  /**
   * Returns whether a parser failed because of the file. Parsers throw unchecked exceptions too, so
   * the code that threw decides: a library's, or JARVIS's.
   */
  static boolean isFilesFault(Throwable e) {
    return switch (e) {
      case FileSystemException it -> false; // the file is missing or not readable
      case FileNotFoundException it -> false;
      case IOException it -> true;
      case StackOverflowError it -> true; // nested too deep
      case Exception it ->
          Arrays.stream(it.getStackTrace())
              .map(StackTraceElement::getClassName)
              .filter(name -> !name.matches("(java|javax|jdk|sun)\\..*"))
              .findFirst()
              .map(name -> !name.startsWith(OWN_PACKAGES))
              .orElse(false);
      default -> false;
    };
  }

  /** Formats a stack trace without messages, which may quote the file. */
  static String trace(Throwable e) {
    StringBuilder text = new StringBuilder(e.getClass().getName());
    Arrays.stream(e.getStackTrace())
        .limit(MAX_FRAMES)
        .forEach(frame -> text.append("\n  at ").append(frame));
    return e.getCause() == null ? text.toString() : text + "\ncaused by " + trace(e.getCause());
  }

  private static ObjectNode done(@Nullable TextEncoding encoding) {
    ObjectNode done = Json.object().put("done", true);
    if (encoding != null) {
      done.put("encoding", encoding.charset()).put("certain", encoding.certain());
    }
    return done;
  }

  private static void print(PrintStream out, JsonNode line) {
    out.println(new String(Json.bytes(line), StandardCharsets.UTF_8));
  }

  /** Ends this process with its parent, whose end closes standard input. */
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
                // the parent ended
              }
              Runtime.getRuntime().halt(1);
            });
  }
}
