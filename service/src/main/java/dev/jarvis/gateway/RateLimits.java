package dev.jarvis.gateway;

import org.jspecify.annotations.Nullable;

/**
 * The limits that are set for one key, user or team.
 *
 * @param requestsPerMinute null if it is not set: the configured default applies
 * @param tokensPerMinute likewise
 * @param parallelCalls likewise
 */
public record RateLimits(
    @Nullable Integer requestsPerMinute,
    @Nullable Integer tokensPerMinute,
    @Nullable Integer parallelCalls) {
  /** Nothing is set. */
  public static final RateLimits DEFAULTS = new RateLimits(null, null, null);
}
