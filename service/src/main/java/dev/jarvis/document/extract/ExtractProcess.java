package dev.jarvis.document.extract;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Runs {@link ExtractMain} in a Java process of its own: what a file makes a parser do costs at
 * most the memory and the time that are allowed, and nothing of JARVIS'. It is given no variables,
 * and runs as the same user: it bounds what a parser takes, and is no sandbox for code of a file's.
 */
final class ExtractProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ExtractProcess.class);

  /** A section may be all of the text, whose length the process holds to its limit. */
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
              .build());

  private final ExtractLimits limits;

  ExtractProcess(ExtractLimits limits) {
    this.limits = limits;
  }

  List<Section> run(Path file, MediaType type, Path folder)
      throws ExtractionException, ReaderUnavailableException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + limits.extractMemoryMib() + "m",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true",
                // what libraries log may quote the file
                "-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider",
                "-Dslf4j.internal.verbosity=ERROR",
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                classPath(),
                ExtractMain.class.getName(),
                type.name(),
                file.toString(),
                Integer.toString(limits.maxChars()),
                Integer.toString(limits.maxPages()))
            .directory(folder.toFile());
    builder.environment().clear();
    Process process = start(builder);
    ErrorOutput errors = ErrorOutput.of(process.getErrorStream());
    CompletableFuture<List<Section>> sections = new CompletableFuture<>();
    Thread reader =
        Thread.ofVirtual()
            .name("extract-reader")
            .start(
                () -> {
                  try (InputStream out = process.getInputStream()) {
                    sections.complete(read(out));
                  } catch (IOException | ExtractionException | RuntimeException e) {
                    sections.completeExceptionally(e);
                  }
                });
    try {
      return sections.get(limits.extractTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new ExtractionException(
          "too_slow",
          "The file takes more than the %d s that are allowed to read."
              .formatted(limits.extractTimeout().toSeconds()));
    } catch (ExecutionException e) {
      boolean filesFault = e.getCause() instanceof ExtractionException;
      try {
        throw failure(process, e.getCause());
      } finally {
        log(filesFault ? Level.INFO : Level.WARN, process, type, errors);
      }
    } finally {
      process.destroyForcibly();
      process.waitFor(5, TimeUnit.SECONDS);
      reader.interrupt();
    }
  }

  /** Logs what the process said last: the trace of what failed, also where the file is at fault. */
  private static void log(Level level, Process process, MediaType type, ErrorOutput errors)
      throws InterruptedException {
    process.destroyForcibly(); // which ends its output
    String text = errors.last();
    if (!text.isEmpty()) {
      LOG.atLevel(level)
          .addKeyValue("media_type", type.id())
          .addKeyValue("stderr", text)
          .log("a file was not read");
    }
  }

  private static Process start(ProcessBuilder builder) throws ReaderUnavailableException {
    try {
      return builder.start();
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("the process that reads files does not start");
      throw new ReaderUnavailableException("The process that reads files does not start.");
    }
  }

  /** Only the file's own fault is told as such: who ends without a word may have been killed. */
  private static ExtractionException failure(Process process, @Nullable Throwable e)
      throws ReaderUnavailableException, InterruptedException {
    if (e instanceof ExtractionException told) {
      return told;
    }
    if (!process.waitFor(2, TimeUnit.SECONDS)) {
      throw new ReaderUnavailableException("The process that reads files cannot be understood.");
    }
    return switch (process.exitValue()) {
      case ExtractMain.OUT_OF_MEMORY ->
          new ExtractionException(
              "too_much_memory", "The file takes more memory to read than is allowed.");
      case ExtractMain.BUG ->
          throw new ReaderUnavailableException(
              "JARVIS failed to read the file: an error of its own.");
      case ExtractMain.DISK_FULL -> throw ReaderUnavailableException.noRoom();
      default ->
          throw new ReaderUnavailableException(
              "The process that reads files ended with status %d.".formatted(process.exitValue()));
    };
  }

  /** Relative paths of a class path are the parent's. */
  private static String classPath() {
    List<String> entries = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      entries.add(Path.of(entry).toAbsolutePath().toString());
    }
    return String.join(File.pathSeparator, entries);
  }

  private static List<Section> read(InputStream out) throws IOException, ExtractionException {
    List<Section> sections = new ArrayList<>();
    BufferedReader lines = new BufferedReader(new InputStreamReader(out, StandardCharsets.UTF_8));
    // the process holds itself to the limit of text, and its memory bounds a line
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode json = MAPPER.readTree(line);
      if (json.has("error")) {
        throw new ExtractionException(json.path("error").asText(), json.path("message").asText());
      }
      if (json.path("done").asBoolean()) {
        return sections;
      }
      sections.add(new Section(json.path("page").asInt(), json.path("text").asText()));
    }
    throw new IOException("the process ended without a last word");
  }
}
