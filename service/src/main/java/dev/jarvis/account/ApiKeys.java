package dev.jarvis.account;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The API keys: known by their SHA-256 only, compared in constant time. */
public final class ApiKeys {
  /** A user and the SHA-256 of a key that names them, in lower-case hex. */
  public record HashedKey(String user, String sha256) {}

  private static final String ADMIN = "admin";

  private final List<HashedKey> keys;

  private ApiKeys(List<HashedKey> keys) {
    this.keys = List.copyOf(keys);
  }

  /**
   * The keys of the configuration; with none there, the one that was generated at the first start.
   *
   * @param generated the file that keeps the generated key's hash
   * @param announce is told a newly generated key, once
   * @throws IOException if the file cannot be read or written
   */
  public static ApiKeys open(List<HashedKey> configured, Path generated, Consumer<String> announce)
      throws IOException {
    if (!configured.isEmpty()) {
      return new ApiKeys(configured);
    }
    if (!Files.exists(generated)) {
      String key = generate();
      write(generated, sha256(key));
      announce.accept(key);
    }
    return new ApiKeys(List.of(new HashedKey(ADMIN, Files.readString(generated).strip())));
  }

  /** The key of user {@code admin}, from its clear text. */
  public static HashedKey admin(String key) {
    return new HashedKey(ADMIN, sha256(key));
  }

  /**
   * The user whom the key names, null for an unknown key. Takes the same time wherever it stands in
   * the list.
   */
  public @Nullable String user(String key) {
    byte[] hash = ascii(sha256(key));
    String user = null;
    for (HashedKey it : keys) {
      if (MessageDigest.isEqual(ascii(it.sha256()), hash)) {
        user = it.user();
      }
    }
    return user;
  }

  private static String generate() {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    return "sk-jarvis-" + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
  }

  private static void write(Path file, String text) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, text + System.lineSeparator(), StandardOpenOption.WRITE);
  }

  private static byte[] ascii(String hex) {
    return hex.getBytes(StandardCharsets.US_ASCII);
  }

  private static String sha256(String key) {
    try {
      byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }
}
