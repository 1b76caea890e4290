package dev.jarvis.http;

import dev.jarvis.gateway.Permission;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Requests that call no model and share a limit for each user. */
public enum RateGroup {
  SEARCH,
  FILES,
  EXPLAIN,
  ADMIN;

  /** The name in the configuration. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The group of endpoints that require a permission; null for calls to models. */
  static @Nullable RateGroup of(Permission permission) {
    return switch (permission) {
      case FILES -> FILES;
      case SEARCH -> SEARCH;
      case ADMIN -> ADMIN;
      case CHAT, EMBEDDINGS -> null;
    };
  }
}
