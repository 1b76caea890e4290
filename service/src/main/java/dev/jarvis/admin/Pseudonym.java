package dev.jarvis.admin;

import dev.jarvis.identity.Identifier;
import java.util.UUID;

/** What replaces the ids of erased users in the ledger and the audit log. */
final class Pseudonym {
  private Pseudonym() {}

  /** A new one, from which nobody can find the id. */
  static String next() {
    return Identifier.PSEUDONYM + UUID.randomUUID().toString().replace("-", "");
  }
}
