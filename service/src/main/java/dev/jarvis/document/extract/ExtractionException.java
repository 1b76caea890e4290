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

  static ExtractionException broken() {
    return new ExtractionException("broken_file", "The file is damaged and cannot be read.");
  }

  /**
   * The content is not what the file's type says.
   *
   * @param type for the user
   */
  static ExtractionException wrongType(String type) {
    return new ExtractionException("wrong_type", "The file is not of the type %s.".formatted(type));
  }

  static ExtractionException encrypted() {
    return new ExtractionException(
        "encrypted", "The file is encrypted; upload it without a password.");
  }

  static ExtractionException macros() {
    return new ExtractionException("macros", "The file contains macros; upload it without them.");
  }

  public String code() {
    return code;
  }
}
