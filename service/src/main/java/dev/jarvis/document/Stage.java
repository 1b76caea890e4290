package dev.jarvis.document;

import java.util.Locale;

/** A stage of the processing of a document. */
public enum Stage {
  /** The file is being uploaded. */
  STORE,
  EXTRACT,
  CHUNK,
  EMBED,
  INDEX,
  /** The user deleted the file; a worker is to delete its bytes. */
  DELETE;

  /** The name in the table, the API and metrics. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * How far a document is that has done so many passages of this stage: a larger number is further.
   * The number is stored in the table.
   */
  long reached(int chunksDone) {
    long rank =
        switch (this) {
          case STORE, DELETE -> 0;
          case EXTRACT -> 1;
          case CHUNK -> 2;
          case EMBED -> 3;
          case INDEX -> 4;
        };
    return (rank << Integer.SIZE) + chunksDone;
  }

  static Stage of(String id) {
    return valueOf(id.toUpperCase(Locale.ROOT));
  }
}
