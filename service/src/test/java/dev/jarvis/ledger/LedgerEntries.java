package dev.jarvis.ledger;

import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/** Ledger entries for tests. */
final class LedgerEntries {
  private LedgerEntries() {}

  /** An entry whose id has the given time. */
  static LedgerEntry at(Instant time) {
    UUID random = UUID.randomUUID();
    long most = (time.toEpochMilli() << 16) | 0x7000 | (random.getMostSignificantBits() & 0x0fff);
    UUID id = new UUID(most, random.getLeastSignificantBits());
    return new LedgerEntry(
        id,
        new LedgerEntry.Origin(
            id, 1, Caller.service("ann"), "req-1", "0af7651916cd43dd8448eb211c80319c"),
        new LedgerEntry.Result(
            Operation.CHAT, new TargetName("ollama", "smollm2:135m"), Outcome.OK, null),
        Usage.counted(12, 34),
        new BigDecimal("0.000123"),
        new LedgerEntry.Delivery(true, Duration.ofMillis(567), null));
  }
}
