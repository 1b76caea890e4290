package dev.jarvis.gateway.cache;

import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The answer of a call that reads a generation started by another call. If the generation fails
 * before its first event, the call is handled once more, because an error of another call must not
 * become its own.
 */
final class FollowerAnswer implements Answer {
  /** Longer than any answer may take. */
  private static final Duration FOREVER = Duration.ofDays(1);

  private final Supplier<Answer> retry;
  private final boolean mayRetry;
  private @Nullable ReusedAnswer reused;
  private Answer answer;
  private boolean begun;

  /**
   * @param mayRetry whether the call is handled once more if this answer fails before it begins
   * @param retry handles the call once more
   */
  FollowerAnswer(ReusedAnswer reused, boolean mayRetry, Supplier<Answer> retry) {
    this.reused = reused;
    this.answer = reused;
    this.mayRetry = mayRetry;
    this.retry = retry;
  }

  @Override
  public Head head() {
    boolean ignored = begun || await(FOREVER);
    return answer.head();
  }

  @Override
  public Event next() {
    boolean ignored = begun || await(FOREVER);
    begun = true;
    return answer.next();
  }

  @Override
  public boolean await(Duration limit) {
    try {
      return answer.await(limit);
    } catch (CancelledException e) {
      throw e;
    } catch (RuntimeException | Error e) {
      if (begun || !mayRetry || reused == null) {
        throw e;
      }
      reused.abandon();
      reused = null;
      answer = retry.get();
      return answer.await(limit);
    }
  }

  @Override
  public void close() {
    answer.close();
  }
}
