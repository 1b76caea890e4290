package dev.jarvis.gateway;

import java.util.Locale;

/** A group of operations that a key may be restricted to. */
public enum Permission {
  CHAT,
  EMBEDDINGS,
  FILES,
  /** Search in files, alone or as the grounding of a chat. */
  SEARCH,
  ADMIN;

  /** The name in the API. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
