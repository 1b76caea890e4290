package dev.jarvis.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;

/**
 * Remembers tokens that were accepted lately, by their hashes, so that a client which has one is
 * not limited by the failed attempts of others at its address. They are verified anew all the same.
 */
final class VerifiedTokens {
  private static final Duration REMEMBERED = Duration.ofMinutes(10);

  private final Cache<String, Boolean> hashes;

  VerifiedTokens(int max) {
    this.hashes = Caffeine.newBuilder().maximumSize(max).expireAfterAccess(REMEMBERED).build();
  }

  boolean contains(String token) {
    return hashes.getIfPresent(hash(token)) != null;
  }

  void add(String token) {
    hashes.put(hash(token), true);
  }

  private static String hash(String token) {
    try {
      byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has SHA-256
    }
  }
}
