package dev.jarvis.ledger;

import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.UUID;

/** Ledger entries for tests. */
final class LedgerEntries {
  static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

  private LedgerEntries() {}

  /** An entry whose id has the given time. */
  static LedgerEntry at(Instant time) {
    UUID random = UUID.randomUUID();
    long most = (time.toEpochMilli() << 16) | 0x7000 | (random.getMostSignificantBits() & 0x0fff);
    UUID id = new UUID(most, random.getLeastSignificantBits());
    return of(id, attempt());
  }

  /** An attempt that answered. */
  static AttemptEntry attempt() {
    return new AttemptEntry(
        1,
        new TargetName("ollama", "smollm2:135m"),
        Outcome.OK,
        true,
        null,
        Usage.counted(12, 34),
        new Cost(new BigDecimal("0.000123"), null),
        Duration.ofMillis(567),
        null);
  }

  /** An entry with the given attempts. */
  static LedgerEntry of(UUID id, AttemptEntry... attempts) {
    AttemptEntry last = attempts[attempts.length - 1];
    return new LedgerEntry(
        id,
        Rank.EXACT,
        LocalDate.of(2026, 11, 28),
        new Origin("ann", null, null, "end-user", null, "req-1", TRACE),
        new Asked(Operation.CHAT, "smollm2", true),
        new LedgerEntry.Result(last.target(), last.outcome(), last.finishReason()),
        List.of(attempts));
  }
}
