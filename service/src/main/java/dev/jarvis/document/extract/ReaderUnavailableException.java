package dev.jarvis.document.extract;

/** The text cannot be extracted now, through no fault of the file: another attempt may succeed. */
public final class ReaderUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String code;

  /**
   * @param message for the user
   */
  ReaderUnavailableException(String message) {
    this("reader_unavailable", message);
  }

  private ReaderUnavailableException(String code, String message) {
    super(message);
    this.code = code;
  }

  /** A stable name of the reason, for programs. */
  public String code() {
    return code;
  }

  /**
   * The sandbox is required but incomplete.
   *
   * @param layers those that are missing
   */
  static ReaderUnavailableException noSandbox(String layers) {
    return new ReaderUnavailableException(
        "sandbox_unavailable",
        "The system does not allow the sandbox in which files must be read; missing: %s."
            .formatted(layers));
  }

  /** Whether the system allows the sandbox is not known yet. */
  static ReaderUnavailableException noTrial() {
    return new ReaderUnavailableException(
        "The sandbox in which files are read could not be tried; it will be tried again.");
  }

  public static ReaderUnavailableException diskFull() {
    return new ReaderUnavailableException("The disk has too little space to read the file.");
  }
}
