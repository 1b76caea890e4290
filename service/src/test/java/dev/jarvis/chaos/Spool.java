package dev.jarvis.chaos;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The spool of a replica, to be damaged. */
record Spool(Replica replica) {
  private static final String BALLAST = "ballast";

  static Spool of(Replica replica) {
    return new Spool(replica);
  }

  /** Deletes the spool of a replica that has ended. */
  void delete() throws IOException {
    try (Stream<Path> all = Files.walk(replica.spool())) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** The segments, oldest first. */
  private List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(replica.spool())) {
      return files.filter(it -> it.getFileName().toString().endsWith(".log")).sorted().toList();
    }
  }

  /** Cuts off a part of the last record. */
  void tear() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(segments().getLast().toFile(), "rw")) {
      file.setLength(Math.max(0, file.length() - 3));
    }
  }

  /** Changes a byte in the middle. */
  void damage() throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(segments().getLast().toFile(), "rw")) {
      long middle = file.length() / 2;
      file.seek(middle);
      int old = file.read();
      file.seek(middle);
      file.write(old ^ 0x55);
    }
  }

  /** Starts the replica with its spool on a file system of 4 MB, which ends with the process. */
  void startOnSmallFileSystem() throws IOException {
    Files.createDirectories(replica.spool());
    delete();
    Files.createDirectories(replica.spool());
    replica.start(
        List.of(
            "unshare",
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\"",
            replica.spool().toString()),
        Map.of());
  }

  /** The spool as its process sees it. */
  private Path mounted() {
    return Path.of("/proc", Long.toString(replica.process().pid()), "root")
        .resolve(Path.of("/").relativize(replica.spool()));
  }

  /** Leaves no room on the file system. */
  void fill() throws IOException {
    byte[] block = new byte[4096];
    try (RandomAccessFile file = new RandomAccessFile(mounted().resolve(BALLAST).toFile(), "rw")) {
      while (true) {
        file.write(block);
      }
    } catch (IOException e) {
      if (!String.valueOf(e.getMessage()).contains("No space")) {
        throw e;
      }
    }
  }

  void empty() throws IOException {
    Files.delete(mounted().resolve(BALLAST));
  }
}
