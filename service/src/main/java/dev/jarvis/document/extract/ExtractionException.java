package dev.jarvis.document.extract;

/** The text cannot be extracted because of the file itself, so that retrying is useless. */
public final class ExtractionException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String code;

  /**
   * @param code for programs
   * @param message for the user
   */
  ExtractionException(String code, String message) {
    super(message);
    this.code = code;
  }

  public String code() {
    return code;
  }
}
