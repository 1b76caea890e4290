package dev.jarvis.document.extract;

import org.apache.poi.openxml4j.util.ZipSecureFile;

/** What the entries of a zip archive may expand to. */
final class ZipLimits {
  private static final double MIN_INFLATE_RATIO = 0.005;
  private static final long MAX_ENTRY_BYTES = 256L << 20;

  private ZipLimits() {}

  static void set() {
    ZipSecureFile.setMinInflateRatio(MIN_INFLATE_RATIO);
    ZipSecureFile.setMaxEntrySize(MAX_ENTRY_BYTES);
  }

  /** Returns whether an error means that a limit was exceeded, for which POI has no exception. */
  static boolean exceeded(Throwable error) {
    for (Throwable e = error; e != null; e = e.getCause()) {
      if (String.valueOf(e.getMessage()).contains("Zip bomb")) {
        return true;
      }
    }
    return false;
  }
}
