package dev.jarvis.document.extract;

/** A file that cannot be read now, by no fault of its own: another attempt may do it. */
public final class ReaderUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param message for the file's owner
   */
  ReaderUnavailableException(String message) {
    super(message);
  }

  public static ReaderUnavailableException noRoom() {
    return new ReaderUnavailableException("There is no room on the disk to read the file.");
  }
}
