package dev.jarvis.gateway;

import java.util.Locale;

/**
 * The limits of one key, user or team, which all its calls share.
 *
 * @param id of the key, user or team; unique within its scope
 */
public record ScopedLimits(Scope scope, String id, RateLimits limits) {
  /** Who shares a limit. */
  public enum Scope {
    KEY,
    USER,
    TEAM;

    /** The name in telemetry and error messages. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
