package dev.jarvis.gateway.cache;

import java.time.Duration;

/**
 * Whether and how long a route's answers are kept.
 *
 * @param ttl how long one is given again
 */
public record CachePolicy(Scope scope, Duration ttl) {
  /** No cache. */
  public static final CachePolicy NONE = new CachePolicy(Scope.OFF, Duration.ZERO);

  /** Who shares answers. */
  public enum Scope {
    /** Nothing is kept. */
    OFF,
    /** Each user gets only what this user was answered. */
    USER,
    /** Everybody gets what anybody was answered. */
    SHARED
  }
}
