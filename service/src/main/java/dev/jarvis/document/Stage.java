package dev.jarvis.document;

import java.util.Locale;

/** Where a document is on its way to the index. */
public enum Stage {
  /** Its bytes are being uploaded. */
  STORE,
  EXTRACT,
  CHUNK,
  EMBED,
  INDEX,
  /** Its owner deleted it; the stored bytes are yet to go. */
  DELETE;

  /** As the table, the API and metrics name it. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Stage of(String id) {
    return valueOf(id.toUpperCase(Locale.ROOT));
  }
}
