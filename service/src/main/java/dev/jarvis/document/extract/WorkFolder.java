package dev.jarvis.document.extract;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A folder among the temporary ones for the reading of one file; deleted with all in it. */
public record WorkFolder(Path path) implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkFolder.class);
  private static final String PREFIX = "jarvis-extract";

  /**
   * Makes a folder.
   *
   * @param bytes that it needs room for
   * @throws ReaderUnavailableException if there is none
   */
  public static WorkFolder create(long bytes) throws ReaderUnavailableException {
    try {
      Path path = Files.createTempDirectory(PREFIX);
      if (Files.getFileStore(path).getUsableSpace() > bytes) {
        return new WorkFolder(path);
      }
      Files.delete(path);
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("no folder can be made to read a file in");
    }
    throw ReaderUnavailableException.noRoom();
  }

  /** Whether an error says that the disk is full: ENOSPC has no exception of its own. */
  public static boolean isFull(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (String.valueOf(e.getMessage()).contains("No space left on device")) {
        return true;
      }
    }
    return false;
  }

  /** Deletes the folders of processes that were killed: those that are older than any work. */
  public static void deleteOlderThan(Duration age) {
    Path parent = Path.of(System.getProperty("java.io.tmpdir"));
    Instant limit = Instant.now().minus(age);
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : folders) {
        if (Files.getLastModifiedTime(folder).toInstant().isBefore(limit)) {
          new WorkFolder(folder).close();
        }
      }
    } catch (IOException e) { // another user's, or another process deletes it just now
      LOG.atDebug().setCause(e).log("an old folder cannot be deleted");
    }
  }

  @Override
  public void close() throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(path)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (NoSuchFileException e) {
      return;
    }
    for (Path it : all) {
      Files.deleteIfExists(it);
    }
  }
}
