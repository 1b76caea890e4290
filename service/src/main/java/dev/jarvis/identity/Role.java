package dev.jarvis.identity;

import java.util.Locale;

/** What a user may do. */
public enum Role {
  /** Administers users, teams and keys, and sees how requests are routed. */
  ADMIN,
  MEMBER;

  /** The name in the API and the database. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
