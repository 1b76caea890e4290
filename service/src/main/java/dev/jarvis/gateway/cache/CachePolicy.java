package dev.jarvis.gateway.cache;

import java.time.Duration;

/**
 * Whether and how long a route's answers are cached.
 *
 * @param ttl how long an answer may be reused
 */
public record CachePolicy(Scope scope, Duration ttl) {
  /** No cache. */
  public static final CachePolicy NONE = new CachePolicy(Scope.OFF, Duration.ZERO);

  /** Which users share answers. */
  public enum Scope {
    /** Nothing is cached. */
    OFF,
    /** Each user gets only answers to their own requests. */
    USER,
    /** All users share all answers. */
    SHARED
  }
}
