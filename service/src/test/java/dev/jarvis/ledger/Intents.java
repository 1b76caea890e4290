package dev.jarvis.ledger;

import dev.jarvis.gateway.Account;
import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.Checkpoint;
import dev.jarvis.gateway.Cost;
import dev.jarvis.gateway.Intent;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.ledger.spool.Spool;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Optional;
import java.util.UUID;

/** Intents for tests. */
final class Intents {
  static final TargetName TARGET = new TargetName("ollama", "smollm2:135m");
  static final Usage EXPECTED = Usage.counted(10, 100).asEstimate();
  static final Settlement.Pricing PRICING =
      (target, at, usage, compute) ->
          Optional.of(new Cost(new BigDecimal(usage.outputTokens()), null, "p/m@1"));

  /** A call that has begun. */
  record Opened(UUID id, Account account) {}

  Opened open(Spool spool) {
    UUID id = UuidV7.next();
    var _ = spool.intent(id, LedgerJson.write(of(id)));
    return new Opened(id, new SpooledCall(spool, id));
  }

  Intent of(UUID id) {
    return new Intent(
        id,
        LocalDate.of(2026, 11, 28),
        new Origin("ann", "team", "key", null, null, "req-1", LedgerEntries.TRACE),
        new Asked(Operation.CHAT, "smollm2", true),
        TARGET,
        EXPECTED,
        Duration.ofSeconds(1));
  }

  static byte[] checkpoint(UUID id, int tokens) {
    return LedgerJson.write(
        new Checkpoint(id, 1, TARGET, Usage.counted(10, tokens), Duration.ofSeconds(1)));
  }
}
