package dev.jarvis.document.extract;

import dev.jarvis.document.sandbox.Layer;
import dev.jarvis.document.sandbox.SandboxMain;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
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
 * parser may take. The process gets no environment variables, and the {@link ReaderSandbox} takes
 * its rights away, because a file may make a parser execute code.
 */
final class ExtractProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ExtractProcess.class);

  /** A file to try the sandbox with. */
  private static final String SAMPLE = "<!doctype html><title>Sample</title><p>Text.";

  private static final Duration TRIAL_LIMIT = Duration.ofMinutes(1);

  private final ExtractLimits limits;
  private final ReaderSandbox sandbox;

  ExtractProcess(ExtractLimits limits, ReaderSandbox sandbox) {
    this.limits = limits;
    this.sandbox = sandbox;
  }

  Extraction run(Path file, MediaType type, Path folder)
      throws ExtractionException, ReaderUnavailableException, InterruptedException {
    List<String> program = program(file, type, folder);
    List<String> command =
        check() ? sandbox.command(program, folder, ReaderClassPath.option(), false) : program;
    return run(command, type, folder, limits.extractTimeout()).extraction();
  }

  /**
   * Tries the sandbox with a file of our own, unless it was tried.
   *
   * @return whether files are read in the sandbox
   * @throws ReaderUnavailableException if it is required but incomplete
   */
  boolean check() throws ReaderUnavailableException, InterruptedException {
    return sandbox.check(this::tryOut);
  }

  private Set<Layer> tryOut()
      throws ExtractionException, ReaderUnavailableException, InterruptedException {
    try (WorkFolder folder = WorkFolder.create(SAMPLE.length())) {
      Path file = Files.writeString(folder.path().resolve("file"), SAMPLE);
      List<String> program = program(file, MediaType.HTML, folder.path());
      List<String> command =
          sandbox.command(program, folder.path(), ReaderClassPath.option(), true);
      return run(command, MediaType.HTML, folder.path(), TRIAL_LIMIT).layers();
    } catch (IOException e) {
      throw ReaderUnavailableException.diskFull();
    }
  }

  private List<String> program(Path file, MediaType type, Path folder) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx" + limits.extractMemoryMib() + "m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-XX:+DisableAttachMechanism",
        "-Djava.awt.headless=true",
        // because the logs of libraries may quote the file
        "-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider",
        "-Dslf4j.internal.verbosity=ERROR",
        "-Djava.io.tmpdir=" + folder,
        "-Dpdfbox.fontcache=" + folder,
        "-Duser.home=" + folder,
        "-cp",
        ReaderClassPath.option(),
        ExtractMain.class.getName(),
        type.name(),
        file.toString(),
        Integer.toString(limits.maxChars()),
        Integer.toString(limits.maxPages()));
  }

  private ReaderOutput run(List<String> command, MediaType type, Path folder, Duration limit)
      throws ExtractionException, ReaderUnavailableException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().clear();
    Process process = start(builder);
    ErrorOutput errors = ErrorOutput.of(process.getErrorStream());
    CompletableFuture<ReaderOutput> output = new CompletableFuture<>();
    Thread reader =
        Thread.ofVirtual()
            .name("extract-reader")
            .start(
                () -> {
                  try (InputStream out = process.getInputStream()) {
                    output.complete(ReaderOutput.read(out, limits.maxChars()));
                  } catch (IOException | ExtractionException | RuntimeException e) {
                    output.completeExceptionally(e);
                  }
                });
    try {
      return output.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new ExtractionException(
          "too_slow",
          "Reading the file took too long; the maximum is %d s.".formatted(limit.toSeconds()));
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
      case SandboxMain.INCOMPLETE -> throw ReaderUnavailableException.noSandbox("a layer");
      default ->
          throw new ReaderUnavailableException(
              "The process that reads files ended with status %d.".formatted(process.exitValue()));
    };
  }
}
