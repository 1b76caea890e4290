package dev.jarvis.document.extract;

import dev.jarvis.document.sandbox.Layer;
import dev.jarvis.document.sandbox.SandboxMain;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
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

  private static final String NONE = "none";

  /** Trials that fail until the system counts as one without a sandbox. */
  static final int MAX_FAILURES = 3;

  /** After a trial that failed. */
  static final Duration PAUSE = Duration.ofSeconds(10);

  private final SandboxMode mode;
  private final Class<?> firstStage;
  private final boolean supported;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Set<Layer> layers; // null if not known; changed with the lock
  private int failures; // guarded by the lock, as the next ones
  private long failedAt;
  private boolean logged;

  /** Reads a file of JARVIS's own in the sandbox. */
  interface Trial {
    /** Returns the layers that were applied. */
    Set<Layer> run() throws ExtractionException, ReaderUnavailableException, InterruptedException;
  }

  ReaderSandbox(SandboxMode mode) {
    this(mode, SandboxMain.class, SandboxMain.isSupported(), System::nanoTime);
  }

  /**
   * @param firstStage the program that restricts itself
   * @param supported whether this system can run it
   */
  ReaderSandbox(SandboxMode mode, Class<?> firstStage, boolean supported, LongSupplier nanoTime) {
    this.mode = mode;
    this.firstStage = firstStage;
    this.supported = supported;
    this.nanoTime = nanoTime;
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
   * @throws ReaderUnavailableException if a layer is missing that is required, or the trial failed
   */
  boolean check(Trial trial) throws ReaderUnavailableException, InterruptedException {
    if (mode == SandboxMode.OFF) {
      return false;
    }
    lock.lockInterruptibly(); // because a trial may take long
    try {
      Set<Layer> applied = layers;
      if (applied == null) {
        applied = supported ? tried(trial) : Set.of();
        layers = applied;
      }
      refuse(applied);
      return !applied.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /**
   * A failure says nothing of the system, because its cause may be temporary: a busy machine, too
   * little memory. So nothing is read until a later trial, and only after several failures the
   * sandbox counts as missing. If it is required, the trials go on.
   */
  private Set<Layer> tried(Trial trial) throws ReaderUnavailableException, InterruptedException {
    if (failures == 0 || nanoTime.getAsLong() - failedAt >= PAUSE.toNanos()) {
      try {
        return trial.run();
      } catch (ExtractionException | ReaderUnavailableException e) {
        failures++;
        failedAt = nanoTime.getAsLong();
        LOG.atWarn()
            .addKeyValue("failures", failures)
            .addKeyValue("reason", e.getMessage())
            .log("reader_sandbox_trial_failed");
      }
      if (failures >= MAX_FAILURES && mode == SandboxMode.AUTO) {
        return Set.of();
      }
    }
    if (failures >= MAX_FAILURES) {
      refuse(Set.of());
    }
    throw ReaderUnavailableException.noTrial();
  }

  private void refuse(Set<Layer> applied) throws ReaderUnavailableException {
    Set<Layer> missing = EnumSet.allOf(Layer.class);
    missing.removeAll(applied);
    if (!missing.isEmpty()) {
      String names = missing.stream().map(Layer::id).collect(Collectors.joining(", "));
      log(names);
      if (mode == SandboxMode.REQUIRED) {
        throw ReaderUnavailableException.noSandbox(names);
      }
    }
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
   * @param trial whether the program runs although layers are missing; else it needs those that the
   *     trial found
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
                trial ? NONE : needed()));
    command.addAll(SandboxRules.of(folder));
    command.add("--");
    command.addAll(program);
    return command;
  }

  private String needed() {
    Set<Layer> applied = layers;
    return applied == null || applied.isEmpty() ? NONE : Layer.names(applied);
  }
}
