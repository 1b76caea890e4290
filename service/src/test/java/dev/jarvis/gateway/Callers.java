package dev.jarvis.gateway;

import java.util.List;

/** Callers of tests. */
public final class Callers {
  private Callers() {}

  /** Without restrictions and limits. */
  public static Caller of(String user, String endUser) {
    return new Caller(user, null, null, endUser, Grants.ALL, List.of());
  }
}
