package dev.jarvis.ledger.spool;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The spool's folder: owned by one process, and named by the id of a replica, which stays the same
 * as long as no record may be missing. When one may be, the folder gets another id before anything
 * else in it changes: what is registered under the old one is then nobody's, also if this process
 * ends at once and the next one finds nothing missing.
 */
final class SpoolFolder implements AutoCloseable {
  private static final String QUARANTINED = "quarantined-";

  /**
   * Names the start of the machine while a process has the folder, or after it was killed; else
   * {@link #CLEAN}. It stays where it is, because a full disk may not take a new file.
   */
  static final String RUNNING = "running";

  private static final String CLEAN = "clean";
  private static final String REPLICA_ID = "replica-id";
  private static final String TEMPORARY = ".tmp";
  private static final Logger LOG = LoggerFactory.getLogger(SpoolFolder.class);

  private static final Duration POLL = Duration.ofMillis(50);

  private final Path path;
  private final FileChannel lock;
  private final SpoolFiles files;
  private final boolean machineStopped;
  private String replicaId;
  private boolean complete = true;

  private SpoolFolder(Path path, FileChannel lock, SpoolFiles files) throws IOException {
    this.path = path;
    this.lock = lock;
    this.files = files;
    this.replicaId = text(REPLICA_ID);
    String running = text(RUNNING);
    this.machineStopped = !running.equals(CLEAN) && !running.equals(boot());
    if (replicaId.isEmpty() || machineStopped) {
      incomplete();
    }
  }

  /** Returns the text of a small file; empty if there is none, as after a stop of the machine. */
  private String text(String name) throws IOException {
    Path file = path.resolve(name);
    return Files.exists(file) ? Files.readString(file, UTF_8).strip() : "";
  }

  /** Changes when the machine starts, if the system has such a name. */
  private static String boot() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id"), UTF_8).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }

  /**
   * Creates the folder if necessary, readable by its owner only, and locks it.
   *
   * @param limit how long to wait for a process that ends
   * @throws IOException if another process keeps the lock, or the folder cannot be used
   */
  static SpoolFolder open(Path path, Duration limit, SpoolFiles files) throws IOException {
    if (!Files.isDirectory(path)) {
      Files.createDirectories(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    FileChannel channel =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      long deadline = System.nanoTime() + limit.toNanos();
      while (tryLock(channel) == null) {
        if (System.nanoTime() - deadline > 0) {
          throw new IOException(
              "The folder %s belongs to another running process. Each replica needs a ledger.spool of its own."
                  .formatted(path));
        }
        LockSupport.parkNanos(POLL.toNanos());
      }
      return new SpoolFolder(path, channel, files);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) { // another part of this process has it
      return null;
    }
  }

  Path path() {
    return path;
  }

  String replicaId() {
    return replicaId;
  }

  /**
   * Whether nothing is missing: the folder is not new, none of its files was damaged, and the
   * machine has not stopped before all was on its disk.
   */
  boolean complete() {
    return complete;
  }

  /** Records may be missing; to be called before anything is repaired. */
  void incomplete() throws IOException {
    if (!complete) {
      return;
    }
    complete = false;
    replicaId = UUID.randomUUID().toString();
    Path id = path.resolve(REPLICA_ID);
    Path temporary = path.resolve(REPLICA_ID + TEMPORARY);
    try {
      try (SpoolFiles.Output output = files.createTemporary(temporary)) {
        output.write(replicaId.getBytes(UTF_8));
        output.sync();
      }
      files.replace(id, temporary);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("file", id)
          .setCause(e)
          .log("the replica's id cannot be written; the next start uses another one");
      Files.deleteIfExists(id); // needs no room
      Files.deleteIfExists(temporary);
    }
    files.syncFolder(path);
  }

  /**
   * Whether the machine was started again since, or is another one, and the last process was
   * killed: what it had not synced may be missing.
   */
  boolean machineStopped() {
    return machineStopped;
  }

  /** From now on records may be missing if the machine stops. */
  void begin() throws IOException {
    Path running = path.resolve(RUNNING);
    try {
      files.overwrite(running, boot().getBytes(UTF_8));
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("file", running).setCause(e).log("a file of the spool is missing");
      Files.deleteIfExists(running); // as if the machine will have stopped
    }
  }

  /** All is synced: nothing will be missing. */
  void clean() {
    Path running = path.resolve(RUNNING);
    try {
      files.overwrite(running, CLEAN.getBytes(UTF_8));
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("file", running).setCause(e).log("a file of the spool is outdated");
    }
  }

  /** Deletes what a process left that was killed while it replaced a file. */
  void deleteTemporary() throws IOException {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path, "*" + TEMPORARY)) {
      for (Path it : found) {
        Files.deleteIfExists(it);
      }
    }
  }

  /** The numbers of the segments, in order. */
  List<Long> segments() throws IOException {
    List<Long> numbers = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path, "[0-9]*" + Segment.SUFFIX)) {
      for (Path it : found) {
        String name = String.valueOf(it.getFileName());
        numbers.add(Long.parseLong(name.substring(0, name.length() - Segment.SUFFIX.length())));
      }
    }
    Collections.sort(numbers);
    return numbers;
  }

  /** Keeps a damaged file under another name, in addition to its own. */
  void quarantine(Path file) throws IOException {
    Path kept = path.resolve(QUARANTINED + file.getFileName());
    Files.deleteIfExists(kept); // of a start that was interrupted
    Files.createLink(kept, file);
  }

  /** How many damaged files are kept, until somebody has looked at them and deletes them. */
  int quarantined() {
    int count = 0;
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path, QUARANTINED + "*")) {
      for (Path ignored : found) {
        count++;
      }
    } catch (IOException e) {
      return count;
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
