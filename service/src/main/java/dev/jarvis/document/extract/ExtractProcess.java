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
 * Runs {@link ExtractMain} in a separate Java process, which limits the memory and the time that a
 * parser may take. The process gets no environment variables but runs as the same user, so it is
 * not a sandbox against a parser that executes code from a file.
 */
final class ExtractProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ExtractProcess.class);

  /** Without Jackson's limit of strings: a section may hold all of the text. */
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

  Extraction run(Path file, MediaType type, Path folder)
      throws ExtractionException, ReaderUnavailableException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + limits.extractMemoryMib() + "m",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true",
                // because the logs of libraries may quote the file
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
    CompletableFuture<Extraction> extraction = new CompletableFuture<>();
    Thread reader =
        Thread.ofVirtual()
            .name("extract-reader")
            .start(
                () -> {
                  try (InputStream out = process.getInputStream()) {
                    extraction.complete(read(out));
                  } catch (IOException | ExtractionException | RuntimeException e) {
                    extraction.completeExceptionally(e);
                  }
                });
    try {
      return extraction.get(limits.extractTimeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new ExtractionException(
          "too_slow",
          "Reading the file took too long; the maximum is %d s."
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

  /** Logs the end of the process's standard error, which holds the stack trace of the failure. */
  private static void log(Level level, Process process, MediaType type, ErrorOutput errors)
      throws InterruptedException {
    process.destroyForcibly(); // to end its output
    String text = errors.last();
    if (!text.isEmpty()) {
      LOG.atLevel(level)
          .addKeyValue("media_type", type.id())
          .addKeyValue("stderr", text)
          .log("a file could not be read");
    }
  }

  private static Process start(ProcessBuilder builder) throws ReaderUnavailableException {
    try {
      return builder.start();
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("the process that reads files did not start");
      throw new ReaderUnavailableException("The process that reads files did not start.");
    }
  }

  /** Blames the file only if the process did: a process without output may have been killed. */
  private static ExtractionException failure(Process process, @Nullable Throwable e)
      throws ReaderUnavailableException, InterruptedException {
    if (e instanceof ExtractionException rejection) {
      return rejection;
    }
    if (!process.waitFor(2, TimeUnit.SECONDS)) {
      throw new ReaderUnavailableException(
          "The output of the process that reads files is invalid.");
    }
    return switch (process.exitValue()) {
      case ExtractMain.OUT_OF_MEMORY ->
          new ExtractionException(
              "too_much_memory", "Reading the file needs more memory than allowed.");
      case ExtractMain.BUG ->
          throw new ReaderUnavailableException(
              "JARVIS failed to read the file because of an internal error.");
      case ExtractMain.DISK_FULL -> throw ReaderUnavailableException.diskFull();
      default ->
          throw new ReaderUnavailableException(
              "The process that reads files ended with status %d.".formatted(process.exitValue()));
    };
  }

  /** Returns absolute paths, because the process has another working directory. */
  private static String classPath() {
    List<String> entries = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      entries.add(Path.of(entry).toAbsolutePath().toString());
    }
    return String.join(File.pathSeparator, entries);
  }

  private static @Nullable TextEncoding encoding(JsonNode done) {
    return done.has("encoding")
        ? new TextEncoding(done.path("encoding").asText(), done.path("certain").asBoolean())
        : null;
  }

  private static Extraction read(InputStream out) throws IOException, ExtractionException {
    List<Section> sections = new ArrayList<>();
    BufferedReader lines = new BufferedReader(new InputStreamReader(out, StandardCharsets.UTF_8));
    // lines are bounded, because the process enforces the limit of text
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode json = MAPPER.readTree(line);
      if (json.has("error")) {
        throw new ExtractionException(json.path("error").asText(), json.path("message").asText());
      }
      if (json.path("done").asBoolean()) {
        return new Extraction(sections, encoding(json));
      }
      sections.add(
          new Section(
              json.path("page").asInt(),
              json.path("heading").asText(),
              json.path("text").asText(),
              json.path("lines").asBoolean()));
    }
    throw new IOException("the output ended without a result");
  }
}
