package dev.jarvis.gateway;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Tells a call's accounts how far a streamed attempt has come: every 5 s, and every 1,000 tokens of
 * output. Used by one thread.
 */
public final class Checkpoints {
  private static final long PERIOD_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int TOKENS = 1_000;

  /** Events between two looks at the number of tokens, most of which are one. */
  private static final int EVENTS = 50;

  private final Call call;
  private final Attempt attempt;
  private final int number;
  private final LongSupplier nanoTime;
  private int events;
  private int tokens;
  private long toldNanos;

  /** Of the call's last attempt, which begins now. */
  public Checkpoints(Call call, Attempt attempt) {
    this(call, attempt, System::nanoTime);
  }

  Checkpoints(Call call, Attempt attempt, LongSupplier nanoTime) {
    this.call = call;
    this.attempt = attempt;
    this.number = call.record().attempts().size();
    this.nanoTime = nanoTime;
    this.toldNanos = nanoTime.getAsLong();
  }

  /** An event has arrived. */
  public void observe() {
    events++;
    long now = nanoTime.getAsLong();
    boolean due = now - toldNanos >= PERIOD_NANOS;
    if (!due && events % EVENTS != 0) {
      return;
    }
    Usage usage = attempt.usage();
    if (due || usage.outputTokens() - tokens >= TOKENS) {
      toldNanos = now;
      tokens = usage.outputTokens();
      call.record()
          .checkpoint(
              new Checkpoint(
                  call.id(), number, attempt.target().name(), usage, attempt.duration()));
    }
  }
}
