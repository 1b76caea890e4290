package dev.jarvis.document.extract;

import dev.jarvis.document.sandbox.Layer;
import dev.jarvis.document.sandbox.SandboxMain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The sandbox of the process that reads files, and which of its layers the system allows. A process
 * that reads a file of JARVIS's own finds that out before the first file of a user is read.
 */
final class ReaderSandbox {
  private static final Logger LOG = LoggerFactory.getLogger(ReaderSandbox.class);

  private final SandboxMode mode;
  private final Class<?> firstStage;
  private final boolean supported;
  private volatile @Nullable Set<Layer> layers;
  private boolean known; // guarded by this, as the next one
  private boolean logged;

  /** Reads a file of JARVIS's own in the sandbox. */
  interface Trial {
    /** Returns the layers that were applied. */
    Set<Layer> run() throws ExtractionException, ReaderUnavailableException, InterruptedException;
  }

  ReaderSandbox(SandboxMode mode) {
    this(mode, SandboxMain.class, SandboxMain.isSupported());
  }

  /**
   * @param firstStage the program that restricts itself
   * @param supported whether this system can run it
   */
  ReaderSandbox(SandboxMode mode, Class<?> firstStage, boolean supported) {
    this.mode = mode;
    this.firstStage = firstStage;
    this.supported = supported;
    if (mode == SandboxMode.OFF) {
      layers = Set.of();
    }
  }

  /** By layer: 1 if it confines the process, else 0. Empty before that is known. */
  Map<String, Long> layers() {
    Set<Layer> applied = layers;
    Map<String, Long> all = new LinkedHashMap<>();
    if (applied != null) {
      for (Layer layer : Layer.values()) {
        all.put(layer.id(), applied.contains(layer) ? 1L : 0L);
      }
    }
    return all;
  }

  /**
   * Finds out which layers the system allows, unless that is known.
   *
   * @return whether files are to be read in the sandbox
   * @throws ReaderUnavailableException if a layer is missing that is required
   */
  synchronized boolean check(Trial trial) throws ReaderUnavailableException, InterruptedException {
    if (mode == SandboxMode.OFF) {
      return false;
    }
    if (!known) {
      layers = supported ? tried(trial) : Set.of();
    }
    Set<Layer> missing = EnumSet.allOf(Layer.class);
    missing.removeAll(applied());
    if (!missing.isEmpty()) {
      String names = missing.stream().map(Layer::id).collect(Collectors.joining(", "));
      log(names);
      if (mode == SandboxMode.REQUIRED) {
        throw ReaderUnavailableException.noSandbox(names);
      }
    }
    return !applied().isEmpty();
  }

  /** A trial that fails is repeated with the next file, because its cause may be temporary. */
  private Set<Layer> tried(Trial trial) throws InterruptedException {
    try {
      Set<Layer> applied = trial.run();
      known = true;
      return applied;
    } catch (ExtractionException | ReaderUnavailableException e) {
      LOG.atDebug().setCause(e).log("the sandbox of the reader cannot be used");
      return Set.of();
    }
  }

  private Set<Layer> applied() {
    Set<Layer> applied = layers;
    return applied == null ? Set.of() : applied;
  }

  private void log(String missing) {
    if (!logged) {
      logged = true;
      LOG.atLevel(mode == SandboxMode.REQUIRED ? Level.ERROR : Level.WARN)
          .addKeyValue("missing", missing)
          .addKeyValue("mode", mode.name().toLowerCase(Locale.ROOT))
          .log("reader_sandbox_incomplete");
    }
  }

  /**
   * Returns the command that runs a Java program in the sandbox.
   *
   * @param folder the only one that the program may change
   * @param trial whether the program runs although required layers are missing
   */
  List<String> command(List<String> program, Path folder, String classPath, boolean trial) {
    List<String> command =
        new ArrayList<>(
            List.of(
                program.getFirst(),
                "-Xmx32m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                firstStage.getName(),
                Boolean.toString(mode == SandboxMode.REQUIRED && !trial)));
    command.addAll(SandboxRules.of(folder));
    command.add("--");
    command.addAll(program);
    return command;
  }
}
