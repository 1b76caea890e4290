package dev.jarvis.identity;

import dev.jarvis.config.Allowed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The API keys of the configuration. Only their SHA-256 hashes are stored; comparing takes constant
 * time.
 */
public final class ApiKeys {
  /** A user and the SHA-256 of a key of theirs, in lower-case hex. */
  @Allowed(value = "USER:SHA256, the hash in 64 lower-case hex digits", sensitive = true)
  public record HashedKey(String user, String sha256) {
    private static final Pattern FORM = Pattern.compile("([^:]+):([0-9a-f]{64})");

    /**
     * Reads {@code user:hash}.
     *
     * @throws IllegalArgumentException if the text is not of that form
     */
    public static HashedKey parse(String text) {
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches() || !Identifier.isValid(matcher.group(1))) {
        throw new IllegalArgumentException("not USER:SHA256");
      }
      return new HashedKey(matcher.group(1), matcher.group(2));
    }

    /** Without the hash. */
    @Override
    public String toString() {
      return "HashedKey[user=" + user + "]";
    }
  }

  private static final String ADMIN = "admin";
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private final List<HashedKey> keys;

  private ApiKeys(List<HashedKey> keys) {
    this.keys = List.copyOf(keys);
  }

  /**
   * Returns the configured keys; without any, the one that the first start generates.
   *
   * @param generated the file with the hash of the generated key
   * @param announce called once with a newly generated key, before its hash is stored
   * @throws IOException if the file cannot be read or written, or has other content
   */
  public static ApiKeys open(List<HashedKey> configured, Path generated, Consumer<String> announce)
      throws IOException {
    if (!configured.isEmpty()) {
      return new ApiKeys(configured);
    }
    String hash = Files.exists(generated) ? Files.readString(generated).strip() : "";
    if (hash.isEmpty()) { // also if an earlier version was killed before it wrote
      String key = generate();
      hash = Digests.sha256Hex(key);
      Path temporary = writeTemporary(generated, hash);
      announce.accept(
          key); // before the move: a stored key that was never shown would lock the admin out
      Files.move(temporary, generated, StandardCopyOption.ATOMIC_MOVE);
    } else if (!SHA256.matcher(hash).matches()) {
      throw new IOException(
          generated
              + " does not hold a SHA-256 hash in hex; delete it to have a new API key generated");
    }
    return new ApiKeys(List.of(new HashedKey(ADMIN, hash)));
  }

  /** Returns a key of the user {@code admin}, given in clear text. */
  public static HashedKey admin(String key) {
    return new HashedKey(ADMIN, Digests.sha256Hex(key));
  }

  /** The users that have a key, with their roles when they are first seen. */
  public Map<String, Role> users() {
    Map<String, Role> users = new LinkedHashMap<>();
    keys.forEach(it -> users.put(it.user(), it.user().equals(ADMIN) ? Role.ADMIN : Role.MEMBER));
    return users;
  }

  /**
   * Returns the user of a key, null if the key is unknown. The time does not depend on the key's
   * position in the list.
   */
  @Nullable String user(String key) {
    byte[] hash = ascii(Digests.sha256Hex(key));
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

  /** Writes a temporary file beside the given one, readable by its owner only, and syncs it. */
  private static Path writeTemporary(Path file, String text) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(temporary);
    Files.createFile(
        temporary,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        temporary,
        text + System.lineSeparator(),
        StandardOpenOption.WRITE,
        StandardOpenOption.SYNC);
    return temporary;
  }

  private static byte[] ascii(String hex) {
    return hex.getBytes(StandardCharsets.US_ASCII);
  }
}
