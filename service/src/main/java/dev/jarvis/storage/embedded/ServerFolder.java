package dev.jarvis.storage.embedded;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An embedded server's folder: nobody else's to read, and one JARVIS's at a time. */
final class ServerFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServerFolder.class);
  private static final Set<PosixFilePermission> OWNER_ALONE =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> OWNER_READS =
      PosixFilePermissions.fromString("rw-------");

  private final Path path;
  private final FileLock lock;

  private ServerFolder(Path path, FileLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Takes a folder for this process.
   *
   * @throws IOException if another process has it, or it cannot be made
   */
  static ServerFolder open(Path path) throws IOException {
    makePrivate(path);
    FileChannel channel =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = tryLock(channel);
      if (lock == null) {
        throw new IOException(
            "another JARVIS uses the folder %s: stop it, or give this one its own by JARVIS_HOME"
                .formatted(path));
      }
      return new ServerFolder(path, lock);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) { // this very process has it
      return null;
    }
  }

  /** Makes a folder and those above it that are missing, readable by their owner alone. */
  static void makePrivate(Path path) throws IOException {
    Files.createDirectories(path, PosixFilePermissions.asFileAttribute(OWNER_ALONE));
    Files.setPosixFilePermissions(path, OWNER_ALONE);
  }

  Path resolve(String name) {
    return path.resolve(name).toAbsolutePath();
  }

  /** The server's random password, made at the first call and kept. */
  String password() throws IOException {
    Path file = resolve("password");
    if (!Files.exists(file)) {
      byte[] random = new byte[24];
      new SecureRandom().nextBytes(random);
      write("password", HexFormat.of().formatHex(random));
    }
    return Files.readString(file).strip();
  }

  /** Writes a file that its owner alone can read, whole or not at all. */
  Path write(String name, String content) throws IOException {
    Path draft = resolve(name + ".new");
    Files.deleteIfExists(draft);
    Files.createFile(draft, PosixFilePermissions.asFileAttribute(OWNER_READS));
    Files.writeString(draft, content);
    return Files.move(draft, resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Stops the server that a killed JARVIS left behind; the lock says that it is nobody's. The
   * process must have a path inside this folder among its arguments: its id may be another's by
   * now.
   *
   * @param pidFile holds the id in its first line; deleted
   */
  void stopOrphan(Path pidFile) throws IOException {
    Optional<ProcessHandle> orphan = process(pidFile);
    if (orphan.isPresent()) {
      LOG.atInfo()
          .addKeyValue("folder", path)
          .addKeyValue("pid", orphan.get().pid())
          .log("stopping the server that an earlier run left behind");
      stop(orphan.get());
    }
    Files.deleteIfExists(pidFile);
  }

  /** The running process that a pid file of this folder's server names. */
  Optional<ProcessHandle> process(Path pidFile) throws IOException {
    if (!Files.exists(pidFile)) {
      return Optional.empty();
    }
    List<String> lines = Files.readAllLines(pidFile);
    if (lines.isEmpty() || !lines.getFirst().strip().matches("\\d{1,10}")) {
      return Optional.empty();
    }
    return ProcessHandle.of(Long.parseLong(lines.getFirst().strip())).filter(this::isRunning);
  }

  /**
   * Whether a process has this folder among its arguments. One that ended has none, even where
   * nothing collects it, as in a container without an init process; isAlive() would call it alive.
   */
  private boolean isRunning(ProcessHandle process) {
    return process.isAlive()
        && process.info().commandLine().orElse("").contains(path.toAbsolutePath().toString());
  }

  /** Asks a process to end, and makes it end if it does not within five seconds. */
  void stop(ProcessHandle process) {
    process.destroy();
    if (!ends(process, Duration.ofSeconds(5))) {
      process.destroyForcibly();
      if (!ends(process, Duration.ofSeconds(2))) {
        LOG.atWarn().addKeyValue("pid", process.pid()).log("an embedded server does not end");
      }
    }
  }

  private boolean ends(ProcessHandle process, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      while (isRunning(process) && System.nanoTime() < deadline) {
        Thread.sleep(10);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return !isRunning(process);
  }

  @Override
  public void close() throws IOException {
    lock.channel().close(); // frees the lock
  }
}
