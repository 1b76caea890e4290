package dev.jarvis.ledger;

import dev.jarvis.gateway.Account;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Checkpoint;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.ledger.spool.Spool;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes down how a call gets on, so that it can be settled if this process is killed. */
final class SpooledCall implements Account {
  private static final Logger LOG = LoggerFactory.getLogger(SpooledCall.class);

  private final Spool spool;
  private final UUID id;

  /** What the spool keeps of the beginning of an attempt. */
  record Asking(UUID callId, int attempt, TargetName target) {}

  SpooledCall(Spool spool, UUID id) {
    this.spool = spool;
    this.id = id;
  }

  @Override
  public void attempt(TargetName target, List<Attempt> before) {
    spool.attempt(id, LedgerJson.write(new Asking(id, before.size() + 1, target)));
  }

  @Override
  public void checkpoint(Checkpoint checkpoint) {
    try {
      spool.checkpoint(id, LedgerJson.write(checkpoint));
    } catch (RuntimeException e) {
      LOG.atWarn().setCause(e).log("a checkpoint of a call cannot be written");
    }
  }

  /** The entry itself is in the spool already. */
  @Override
  public void settle(@Nullable LedgerEntry entry) {
    if (entry == null) {
      spool.voided(id);
    }
  }
}
