package dev.jarvis.ledger;

import dev.jarvis.gateway.LedgerEntry;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/** Rows for tests. */
final class LedgerEntries {
  private LedgerEntries() {}

  /** A row whose id was made at a time. */
  static LedgerEntry at(Instant time) {
    UUID random = UUID.randomUUID();
    long most = (time.toEpochMilli() << 16) | 0x7000 | (random.getMostSignificantBits() & 0x0fff);
    UUID id = new UUID(most, random.getLeastSignificantBits());
    return new LedgerEntry(
        id,
        id,
        1,
        "ann",
        null,
        "req-1",
        "0af7651916cd43dd8448eb211c80319c",
        "chat",
        "smollm2:135m",
        "ollama",
        "ok",
        12,
        0,
        34,
        0,
        false,
        new BigDecimal("0.000123"),
        true,
        Duration.ofMillis(567),
        null,
        null);
  }
}
