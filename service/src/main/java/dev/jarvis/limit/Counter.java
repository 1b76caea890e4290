package dev.jarvis.limit;

import java.util.Locale;

/**
 * Something that is counted for somebody.
 *
 * @param scope who shares it: key, user, team, or a group of routes
 * @param id of the key, user or team
 */
record Counter(Kind kind, String scope, String id) {
  /** What is counted. */
  enum Kind {
    /** Requests of the last minute. */
    REQUESTS,
    /** Tokens of the last minute. */
    TOKENS,
    /** Calls in progress. */
    PARALLEL;

    /** The name in Redis and telemetry. */
    String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
