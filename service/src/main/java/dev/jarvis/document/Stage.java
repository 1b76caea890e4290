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

  static Stage of(String id) {
    return valueOf(id.toUpperCase(Locale.ROOT));
  }
}
