package dev.jarvis.document.extract;

/** The text cannot be extracted now, through no fault of the file: another attempt may succeed. */
public final class ReaderUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param message for the user
   */
  ReaderUnavailableException(String message) {
    super(message);
  }

  public static ReaderUnavailableException diskFull() {
    return new ReaderUnavailableException("The disk has too little space to read the file.");
  }
}
