package dev.jarvis.ledger;

import dev.jarvis.gateway.Account;
import dev.jarvis.gateway.Attempt;
import dev.jarvis.gateway.Checkpoint;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.LedgerJson;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.ledger.spool.Spool;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes down how a call gets on, so that it can be settled if this process is killed. */
final class SpooledCall implements Account {
  private static final Logger LOG = LoggerFactory.getLogger(SpooledCall.class);
  private static final long PERIOD_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int TOKENS = 1_000;

  /** Events between two looks at the number of tokens, most of which are one. */
  private static final int EVENTS = 50;

  private final Spool spool;
  private final UUID id;
  private final LongSupplier nanoTime;
  private int number;
  private int events;
  private int tokens;
  private long written;

  /** What the spool keeps of the beginning of an attempt. */
  record Asking(UUID callId, int attempt, TargetName target) {}

  SpooledCall(Spool spool, UUID id, LongSupplier nanoTime) {
    this.spool = spool;
    this.id = id;
    this.nanoTime = nanoTime;
  }

  @Override
  public void attempt(TargetName target, List<Attempt> before) {
    number = before.size() + 1;
    events = 0;
    tokens = 0;
    written = nanoTime.getAsLong();
    spool.attempt(id, LedgerJson.write(new Asking(id, number, target)));
  }

  @Override
  public void progress(Attempt attempt) {
    events++;
    long now = nanoTime.getAsLong();
    boolean due = now - written >= PERIOD_NANOS;
    if (!due && events % EVENTS != 0) {
      return;
    }
    int output = attempt.usage().outputTokens();
    if (due || output - tokens >= TOKENS) {
      written = now;
      tokens = output;
      try {
        spool.checkpoint(
            id,
            LedgerJson.write(
                new Checkpoint(
                    id, number, attempt.target().name(), attempt.usage(), attempt.duration())));
      } catch (RuntimeException e) {
        LOG.atWarn().setCause(e).log("a checkpoint of a call cannot be written");
      }
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
