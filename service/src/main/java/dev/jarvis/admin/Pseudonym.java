package dev.jarvis.admin;

import dev.jarvis.identity.Identifier;
import java.util.UUID;

/** What replaces the ids of erased users in the ledger and the audit log. */
final class Pseudonym {
  static final String PREFIX = Identifier.PSEUDONYM;

  private Pseudonym() {}

  /** A new one, from which nobody can find the id. */
  static String next() {
    return PREFIX + UUID.randomUUID().toString().replace("-", "");
  }
}
