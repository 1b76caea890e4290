package dev.jarvis.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The entries that PostgreSQL rejected, one JSON object a line, for somebody to look at. */
final class Rejected {
  static final String FILE = "rejected.jsonl";

  private final Path file;

  Rejected(Path folder) {
    this.file = folder.resolve(FILE);
  }

  /**
   * @throws IOException if it cannot be kept
   */
  void keep(byte[] entry) throws IOException {
    byte[] line = (new String(entry, UTF_8).replace("\n", " ") + "\n").getBytes(UTF_8);
    Files.write(
        file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.DSYNC);
  }
}
