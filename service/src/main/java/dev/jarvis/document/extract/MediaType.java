package dev.jarvis.document.extract;

import java.util.Arrays;
import java.util.Optional;

/** The supported types of files. */
public enum MediaType {
  TEXT("text/plain"),
  MARKDOWN("text/markdown"),
  HTML("text/html"),
  PDF("application/pdf"),
  DOCX("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
  XLSX("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
  PPTX("application/vnd.openxmlformats-officedocument.presentationml.presentation"),
  ODT("application/vnd.oasis.opendocument.text"),
  RTF("application/rtf"),
  EPUB("application/epub+zip");

  private final String id;

  MediaType(String id) {
    this.id = id;
  }

  /** The name that IANA registered. */
  public String id() {
    return id;
  }

  public static Optional<MediaType> of(String id) {
    return Arrays.stream(values()).filter(it -> it.id.equals(id)).findFirst();
  }
}
