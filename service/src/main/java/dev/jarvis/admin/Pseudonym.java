package dev.jarvis.admin;

import java.util.UUID;

/** What replaces the ids of erased users in the ledger and the audit log. */
final class Pseudonym {
  static final String PREFIX = "erased-";

  private Pseudonym() {}

  /** A new one, from which nobody can find the id. */
  static String next() {
    return PREFIX + UUID.randomUUID().toString().replace("-", "");
  }
}
