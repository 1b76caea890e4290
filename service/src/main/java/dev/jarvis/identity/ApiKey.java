package dev.jarvis.identity;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A key of the admin API, in clear text: {@code sk-jarvis-PREFIX-SECRET}. The prefix is public and
 * names the key; the secret has 256 random bits, so that a hash without salt is safe to store.
 */
public record ApiKey(String prefix, String text) {
  private static final Pattern FORM = Pattern.compile("sk-jarvis-([a-z0-9]{12})-[A-Za-z0-9_-]{43}");
  private static final String PREFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final int PREFIX_LENGTH = 12;
  private static final int SECRET_BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();

  /** Returns a new key. */
  public static ApiKey generate() {
    StringBuilder prefix = new StringBuilder();
    for (int i = 0; i < PREFIX_LENGTH; i++) {
      prefix.append(PREFIX_LETTERS.charAt(RANDOM.nextInt(PREFIX_LETTERS.length())));
    }
    byte[] secret = new byte[SECRET_BYTES];
    RANDOM.nextBytes(secret);
    return new ApiKey(
        prefix.toString(),
        "sk-jarvis-%s-%s"
            .formatted(prefix, Base64.getUrlEncoder().withoutPadding().encodeToString(secret)));
  }

  /** Reads a key; empty if the text has another form, such as a key of the configuration. */
  public static Optional<ApiKey> parse(String text) {
    Matcher matcher = FORM.matcher(text);
    return matcher.matches() ? Optional.of(new ApiKey(matcher.group(1), text)) : Optional.empty();
  }

  /** The SHA-256 hash of the whole key: what is stored. */
  public byte[] sha256() {
    return Digests.sha256(text);
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "ApiKey[prefix=" + prefix + "]";
  }
}
