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

/**
 * The spool's folder: owned by one process, and named by the id of a replica, which stays the same
 * as long as the folder does.
 */
final class SpoolFolder implements AutoCloseable {
  private static final String QUARANTINED = "quarantined-";

  /**
   * Names the start of the machine; there while a process has the folder, or after it was killed.
   */
  static final String RUNNING = "running";

  private static final Duration POLL = Duration.ofMillis(50);

  private final Path path;
  private final FileChannel lock;
  private final String replicaId;
  private final boolean created;
  private final boolean machineStopped;

  private SpoolFolder(Path path, FileChannel lock) throws IOException {
    this.path = path;
    this.lock = lock;
    Path id = path.resolve("replica-id");
    this.created = !Files.exists(id);
    if (created) {
      Path temporary = path.resolve("replica-id.tmp");
      Files.writeString(temporary, UUID.randomUUID().toString());
      Files.move(temporary, id);
    }
    this.replicaId = Files.readString(id, UTF_8).strip();
    Path running = path.resolve(RUNNING);
    String boot = boot();
    this.machineStopped = Files.exists(running) && !Files.readString(running, UTF_8).equals(boot);
    try (FileChannel channel =
        FileChannel.open(
            running,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      channel.write(UTF_8.encode(boot));
      channel.force(true);
    }
  }

  /** Changes when the machine starts; empty if the system has none. */
  private static String boot() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id"), UTF_8).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /**
   * Creates the folder if necessary, readable by its owner only, and locks it.
   *
   * @param limit how long to wait for a process that ends
   * @throws IOException if another process keeps the lock, or the folder cannot be used
   */
  static SpoolFolder open(Path path, Duration limit) throws IOException {
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
      return new SpoolFolder(path, channel);
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

  /** Whether the folder had no owner before. */
  boolean created() {
    return created;
  }

  /**
   * Whether the machine was started again since, or is another one, and the last process was
   * killed: what it had not synced may be missing.
   */
  boolean machineStopped() {
    return machineStopped;
  }

  /** All is synced: nothing will be missing. */
  void clean() throws IOException {
    Files.deleteIfExists(path.resolve(RUNNING));
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
