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

/** A temporary folder for the extraction of one file; closing deletes it. */
public record WorkFolder(Path path) implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkFolder.class);
  private static final String PREFIX = "jarvis-extract";

  /**
   * Creates a folder.
   *
   * @param bytes the space that must be free
   * @throws ReaderUnavailableException if the disk is full
   */
  public static WorkFolder create(long bytes) throws ReaderUnavailableException {
    try {
      Path path = Files.createTempDirectory(PREFIX);
      if (Files.getFileStore(path).getUsableSpace() > bytes) {
        return new WorkFolder(path);
      }
      Files.delete(path);
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("no temporary folder could be created");
    }
    throw ReaderUnavailableException.diskFull();
  }

  /** Returns whether an error means that the disk is full, for which Java has no exception. */
  public static boolean isFull(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (String.valueOf(e.getMessage()).contains("No space left on device")) {
        return true;
      }
    }
    return false;
  }

  /** Deletes folders that killed processes left behind. */
  public static void deleteOlderThan(Duration age) {
    Path parent = Path.of(System.getProperty("java.io.tmpdir"));
    Instant limit = Instant.now().minus(age);
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : folders) {
        if (Files.getLastModifiedTime(folder).toInstant().isBefore(limit)) {
          new WorkFolder(folder).close();
        }
      }
    } catch (IOException e) { // another user's, or deleted by another process
      LOG.atDebug().setCause(e).log("a stale temporary folder was not deleted");
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
