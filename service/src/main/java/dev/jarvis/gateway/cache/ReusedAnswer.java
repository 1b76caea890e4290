package dev.jarvis.gateway.cache;

import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.Settlement;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is or was generated for another call: it costs nothing, even if its client leaves
 * early. The call is settled at the end of the answer, or when it is closed.
 */
final class ReusedAnswer implements Answer {
  private final Call call;
  private final Answer answer;
  private final AnswerCache cache;
  private final Settlement settlement;
  private @Nullable Head head;
  private @Nullable FinishReason reason;
  private @Nullable Throwable failure;

  ReusedAnswer(Call call, Answer answer, AnswerCache cache, Settlement settlement) {
    this.call = call;
    this.answer = answer;
    this.cache = cache;
    this.settlement = settlement;
  }

  @Override
  public Head head() {
    Head known = noteFailure(answer::head).withCache(AnswerCache.Result.HIT.header());
    head = known;
    return known;
  }

  @Override
  public boolean await(Duration limit) {
    return noteFailure(() -> answer.await(limit));
  }

  @Override
  public Event next() {
    Event event = noteFailure(answer::next);
    if (event instanceof Event.ChoiceEnd it && reason == null) {
      reason = it.reason();
    }
    if (event instanceof Event.End) {
      if (head == null) {
        var _ = head();
      }
      settle();
    }
    return event;
  }

  private void settle() {
    Head known = head;
    if (failure == null && known != null) {
      if (call.record().cached(known, reason == null ? FinishReason.STOP : reason)) {
        cache.count(AnswerCache.Result.HIT);
      }
    } else {
      call.record().failed(failure == null ? new CancelledException() : failure);
    }
    settlement.settle(call);
  }

  private <T> T noteFailure(Supplier<T> part) {
    try {
      return part.get();
    } catch (RuntimeException | Error e) {
      failure = e;
      throw e;
    }
  }

  /** Closes the answer without settling the call, which gets another answer. */
  void abandon() {
    answer.close();
  }

  @Override
  public void close() {
    answer.close();
    settle();
  }
}
