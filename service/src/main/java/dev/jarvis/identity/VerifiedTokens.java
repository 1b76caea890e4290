package dev.jarvis.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;

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
    return hashes.getIfPresent(Digests.sha256Hex(token)) != null;
  }

  void add(String token) {
    hashes.put(Digests.sha256Hex(token), true);
  }
}
