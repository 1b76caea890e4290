package dev.jarvis.document.extract;

/** A file whose text cannot be had, by its own fault: to try again helps nothing. */
public final class ExtractionException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String code;

  /**
   * @param code for programs
   * @param message for the file's owner
   */
  ExtractionException(String code, String message) {
    super(message);
    this.code = code;
  }

  public String code() {
    return code;
  }
}
