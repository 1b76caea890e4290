package dev.jarvis.ledger.spool;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Real files that fail when they are told to, on a disk that can lose what was not synced. */
final class FaultyFiles implements SpoolFiles {
  enum Fault {
    CREATE,
    WRITE,
    SYNC,
    FULL,
    ERROR
  }

  private final SpoolFiles files = new OnDisk();
  private final Random random;
  private final Set<Fault> faults = ConcurrentHashMap.newKeySet();
  private final Map<Path, Long> synced = new HashMap<>();
  private final Map<Path, Path> renamed = new HashMap<>();
  private final Map<Path, Scan.Range> unreadable = new ConcurrentHashMap<>();
  private volatile int syncs;

  FaultyFiles(Random random) {
    this.random = random;
  }

  void fail(Fault... which) {
    faults.addAll(List.of(which));
  }

  void work() {
    faults.clear();
  }

  /** The disk returns no piece of a file that has bytes of a range. */
  void unreadable(Path file, int from, int to) {
    unreadable.put(file, new Scan.Range(from, to));
  }

  int syncs() {
    return syncs;
  }

  private void check(Fault... which) throws IOException {
    if (Arrays.stream(which).anyMatch(faults::contains)) {
      throw new IOException("injected");
    }
  }

  @Override
  public synchronized Output create(Path file) throws IOException {
    check(Fault.CREATE, Fault.FULL);
    Output output = files.create(file);
    synced.put(file, 0L);
    renamed.remove(file);
    return new Output() {
      @Override
      public void write(byte[] bytes) throws IOException {
        synchronized (FaultyFiles.this) {
          if (faults.contains(Fault.WRITE) || faults.contains(Fault.FULL)) {
            output.write(Arrays.copyOf(bytes, random.nextInt(bytes.length))); // torn
          }
          check(Fault.WRITE, Fault.FULL);
          output.write(bytes);
        }
      }

      @Override
      public void sync() throws IOException {
        synchronized (FaultyFiles.this) {
          syncs++;
          check(Fault.SYNC);
          if (faults.contains(Fault.ERROR)) {
            throw new LinkageError("injected");
          }
          Path now = renamed.getOrDefault(file, file);
          synced.put(now, now.toFile().length());
        }
      }

      @Override
      public void close() throws IOException {
        output.close();
      }
    };
  }

  @Override
  public byte[] read(Path file, long offset, int length) throws IOException {
    Scan.Range range = unreadable.get(file);
    if (range != null && offset < range.to() && offset + length > range.from()) {
      throw new IOException("Input/output error");
    }
    return files.read(file, offset, length);
  }

  @Override
  public synchronized void truncate(Path file, long length) throws IOException {
    check(Fault.SYNC);
    files.truncate(file, length);
    synced.put(file, length);
  }

  @Override
  public void overwrite(Path file, byte[] content) throws IOException {
    check(Fault.WRITE, Fault.FULL, Fault.SYNC);
    files.overwrite(file, content);
  }

  @Override
  public synchronized void replace(Path file, Path by) throws IOException {
    files.replace(file, by);
    synced.put(file, file.toFile().length());
    synced.remove(by);
    unreadable.remove(file);
    renamed.put(by, file);
  }

  @Override
  public void syncFolder(Path folder) throws IOException {
    check(Fault.SYNC);
  }

  @Override
  public long usable(Path folder) {
    return faults.contains(Fault.FULL) ? 0 : Long.MAX_VALUE;
  }

  /**
   * Copies what another process would find.
   *
   * @param power whether the machine stopped, so that any part of what was not synced is lost
   */
  synchronized void copy(Path from, Path to, boolean power) throws IOException {
    Files.createDirectories(to);
    try (var found = Files.newDirectoryStream(from)) {
      for (Path file : found) {
        byte[] bytes = Files.readAllBytes(file);
        Long safe = synced.get(file);
        if (power && safe != null) {
          int unsafe = bytes.length - Math.toIntExact(safe);
          bytes = Arrays.copyOf(bytes, Math.toIntExact(safe) + random.nextInt(unsafe + 1));
        }
        Files.write(to.resolve(file.getFileName()), bytes);
      }
    }
  }
}
