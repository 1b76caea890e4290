package dev.jarvis.document;

import java.util.Arrays;
import java.util.Optional;

/** The types of files that are taken. */
enum MediaType {
  TEXT("text/plain"),
  MARKDOWN("text/markdown"),
  HTML("text/html"),
  PDF("application/pdf"),
  DOCX("application/vnd.openxmlformats-officedocument.wordprocessingml.document");

  private final String id;

  MediaType(String id) {
    this.id = id;
  }

  /** As IANA registered it. */
  String id() {
    return id;
  }

  static Optional<MediaType> of(String id) {
    return Arrays.stream(values()).filter(it -> it.id.equals(id)).findFirst();
  }
}
