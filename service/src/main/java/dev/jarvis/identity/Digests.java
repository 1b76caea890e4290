package dev.jarvis.identity;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Hashes of credentials: what is kept instead of them. */
final class Digests {
  private Digests() {}

  /** The SHA-256 hash of a text in UTF-8. */
  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has SHA-256
    }
  }

  /** The same in lower-case hex. */
  static String sha256Hex(String text) {
    return HexFormat.of().formatHex(sha256(text));
  }
}
