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

/** The folder of an embedded server: readable by its owner only, and used by one process. */
final class ServerFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServerFolder.class);
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> OWNER_ONLY_FILE =
      PosixFilePermissions.fromString("rw-------");

  private final Path path;
  private final FileLock lock;

  private ServerFolder(Path path, FileLock lock) {
    this.path = path;
    this.lock = lock;
  }

  /**
   * Locks a folder for this process; creates it if it does not exist.
   *
   * @throws IOException if another process has locked it, or it cannot be created
   */
  static ServerFolder open(Path path) throws IOException {
    createPrivate(path);
    FileChannel channel =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = tryLock(channel);
      if (lock == null) {
        throw new IOException(
            "another JARVIS uses the folder %s: stop it, or set JARVIS_HOME to another folder"
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
    } catch (OverlappingFileLockException e) { // this process has locked it already
      return null;
    }
  }

  /** Creates a folder and its parents if they do not exist, readable by their owner only. */
  static void createPrivate(Path path) throws IOException {
    Files.createDirectories(path, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    Files.setPosixFilePermissions(path, OWNER_ONLY);
  }

  Path resolve(String name) {
    return path.resolve(name).toAbsolutePath();
  }

  /** Returns the server's password, a random one that the first call creates and stores. */
  String password() throws IOException {
    Path file = resolve("password");
    if (!Files.exists(file)) {
      byte[] random = new byte[24];
      new SecureRandom().nextBytes(random);
      write("password", HexFormat.of().formatHex(random));
    }
    return Files.readString(file).strip();
  }

  /** Writes a file atomically, readable by its owner only. */
  Path write(String name, String content) throws IOException {
    Path draft = resolve(name + ".new");
    Files.deleteIfExists(draft);
    Files.createFile(draft, PosixFilePermissions.asFileAttribute(OWNER_ONLY_FILE));
    Files.writeString(draft, content);
    return Files.move(draft, resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Stops the server that a killed process left behind, which this folder's lock proves. Only a
   * process with a path inside this folder among its arguments is stopped, because another process
   * may have the id by now.
   *
   * @param pidFile has the id in its first line; deleted afterwards
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

  /** Returns the running server whose id a pid file holds. */
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
   * Returns whether a process runs and has this folder among its arguments. A zombie has no
   * arguments, as in a container without an init process, but isAlive() returns true for it.
   */
  private boolean isRunning(ProcessHandle process) {
    return process.isAlive()
        && process.info().commandLine().orElse("").contains(path.toAbsolutePath().toString());
  }

  /** Terminates a process, and kills it if it does not end within five seconds. */
  void stop(ProcessHandle process) {
    process.destroy();
    if (!ends(process, Duration.ofSeconds(5))) {
      process.destroyForcibly();
      if (!ends(process, Duration.ofSeconds(2))) {
        LOG.atWarn()
            .addKeyValue("pid", process.pid())
            .log("an embedded server did not end when it was killed");
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
