package dev.jarvis.gateway;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.http.OutOfMemory;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.slf4j.MDC;

/**
 * Looks an answer up in the cache, or has it generated, apart from the client's thread. Calls that
 * ask the same while it is generated read along: a reader that is slow delays nobody, and the
 * generation ends when the last reader has left. Thread-safe.
 */
public final class Flights implements Stage {
  /** The share of the heap that answers on their way may take: one of so many parts. */
  private static final int HEAP_SHARE = 8;

  /** How long a reader that leaves waits for the generation to stop and be recorded. */
  private static final Duration SETTLE_LIMIT = Duration.ofSeconds(1);

  /** Longer than any answer may take. */
  private static final Duration FOREVER = Duration.ofDays(1);

  private static final int STRIPES = 1024;

  private final AnswerCache cache;
  private final Settlement settlement;
  private final Duration patience;
  private final AnswerBuffer.Budget budget =
      new AnswerBuffer.Budget(Runtime.getRuntime().maxMemory() / HEAP_SHARE);
  private final Map<String, Flight> flights = new ConcurrentHashMap<>();

  /** Counts the flights that ended, as a clock; and by the hash of their keys when one last did. */
  private final AtomicLong ends = new AtomicLong();

  private final AtomicLongArray lastEnds = new AtomicLongArray(STRIPES);

  /**
   * @param patience how long a reader may leave its buffer full, in total
   */
  public Flights(AnswerCache cache, Settlement settlement, Duration patience) {
    this.cache = cache;
    this.settlement = settlement;
    this.patience = patience;
  }

  @Override
  public Answer handle(Call call, Next next) {
    return handle(call, next, true);
  }

  private Answer handle(Call call, Next next, boolean again) {
    while (true) {
      long lookedAt = ends.get();
      AnswerCache.Lookup lookup = cache.look(call);
      if (lookup.answer() != null) {
        return new Given(call, lookup.answer().replay(call.question().model()));
      }
      String key = lookup.key();
      if (key == null || !lookup.joins()) {
        cache.count(lookup.result());
        return new Flight(call, lookup, next).start();
      }
      Flight started = new Flight(call, lookup, next);
      Flight flight =
          flights.compute(
              key, (k, current) -> current != null || endedSince(lookedAt, k) ? current : started);
      if (flight == null) {
        continue; // it ended just after the look: its answer is in the cache by now
      }
      if (flight == started) {
        cache.count(lookup.result());
        return started.start();
      }
      AnswerBuffer.Reader reader = flight.buffer.join();
      if (reader != null) {
        return new Given(call, new Following(call, next, reader, again));
      }
      flights.remove(key, flight); // it is over, or too long to be read from its beginning
    }
  }

  private boolean endedSince(long time, String key) {
    return lastEnds.get(stripe(key)) > time;
  }

  private static int stripe(String key) {
    return Math.floorMod(key.hashCode(), STRIPES);
  }

  /** One generation, read by those who asked for it. */
  private final class Flight {
    private final Call call;
    private final AnswerCache.Lookup lookup;
    private final Next next;
    private final Cancellation scope = new Cancellation();
    private final CountDownLatch settled = new CountDownLatch(1);
    private final AnswerBuffer buffer;

    Flight(Call call, AnswerCache.Lookup lookup, Next next) {
      this.call = call;
      this.lookup = lookup;
      this.next = next;
      this.buffer = new AnswerBuffer(budget, patience, scope, lookup.key() != null);
    }

    Answer start() {
      AnswerBuffer.Reader reader = buffer.reader();
      Map<String, String> mdc = MDC.getCopyOfContextMap();
      Runnable generation = Context.current().wrap(() -> scope.run(this::generate));
      Thread.ofVirtual()
          .name("generation")
          .start(
              () -> {
                if (mdc != null) {
                  MDC.setContextMap(mdc);
                }
                generation.run();
              });
      return new Leading(reader, scope, settled);
    }

    private void generate() {
      Event.End end = new Event.End(null);
      Throwable failure = null;
      try (Answer answer = next.proceed(call)) {
        buffer.head(answer.head().withCache(lookup.header()));
        Event event = answer.next();
        while (!(event instanceof Event.End)) {
          buffer.put(event);
          event = answer.next();
        }
        end = (Event.End) event;
        keep(answer.head());
      } catch (RuntimeException | Error e) {
        OutOfMemory.endProcessIf(e);
        failure = e;
        call.record().failed(e);
      }
      if (lookup.key() != null) {
        lastEnds.accumulateAndGet(stripe(lookup.key()), ends.incrementAndGet(), Math::max);
        flights.remove(lookup.key(), this);
      }
      settlement.settle(call);
      settled.countDown();
      buffer.end(end, failure);
    }

    private void keep(Head head) {
      List<Event> events = lookup.key() == null ? null : buffer.kept();
      if (events != null) {
        cache.keep(lookup, new CachedAnswer(head.target(), events));
      }
    }
  }

  /** The answer of the call that started the generation. */
  private record Leading(AnswerBuffer.Reader reader, Cancellation scope, CountDownLatch settled)
      implements Answer {
    @Override
    public Head head() {
      return reader.head();
    }

    @Override
    public Event next() {
      return reader.next();
    }

    @Override
    public boolean await(Duration limit) {
      return reader.await(limit);
    }

    /** If the generation ends with a client that leaves, its outcome stands in the log line. */
    @Override
    public void close() {
      reader.close();
      if (!scope.cancelled()) {
        return;
      }
      try {
        boolean ignored = settled.await(SETTLE_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * The answer of a call that reads along. If the generation fails before its first event, it is
   * asked for once more: an error of another's call is not handed on.
   */
  private final class Following implements Answer {
    private final Call call;
    private final Next next;
    private final boolean again;
    private Answer answer;
    private boolean begun;
    private boolean asked;

    Following(Call call, Next next, Answer answer, boolean again) {
      this.call = call;
      this.next = next;
      this.answer = answer;
      this.again = again;
    }

    @Override
    public Head head() {
      if (!begun) {
        await(FOREVER);
      }
      return asked ? answer.head() : answer.head().withCache(AnswerCache.Result.HIT.header());
    }

    @Override
    public Event next() {
      if (!begun) {
        await(FOREVER);
      }
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
        if (begun || !again) {
          throw e;
        }
        answer.close();
        begun = true;
        asked = true;
        answer = handle(call, next, false);
        return answer.await(limit);
      }
    }

    @Override
    public void close() {
      answer.close();
    }
  }

  /** An answer that was generated for somebody else, or before: it costs nothing. */
  private final class Given implements Answer {
    private final Call call;
    private final Answer answer;
    private Reason reason = Reason.STOP;
    private boolean reasonSeen;

    Given(Call call, Answer answer) {
      this.call = call;
      this.answer = answer;
    }

    @Override
    public Head head() {
      return failing(answer::head);
    }

    @Override
    public boolean await(Duration limit) {
      return failing(() -> answer.await(limit));
    }

    @Override
    public Event next() {
      Event event = failing(answer::next);
      if (event instanceof Event.ChoiceEnd it && !reasonSeen) {
        reason = it.reason();
        reasonSeen = true;
      }
      if (event instanceof Event.End) {
        settle();
      }
      return event;
    }

    private void settle() {
      // a second generation, asked for after the first had failed, is settled as what it is
      if (call.record().routed() == null) {
        cache.count(AnswerCache.Result.HIT);
        call.record().cached(answer.head(), reason);
      }
      settlement.settle(call);
    }

    private <T> T failing(java.util.function.Supplier<T> part) {
      try {
        return part.get();
      } catch (RuntimeException | Error e) {
        call.record().failed(e);
        settlement.settle(call);
        throw e;
      }
    }

    @Override
    public void close() {
      answer.close();
      if (call.record().attempts().isEmpty()) { // else its own generation settles it
        call.record().failed(new CancelledException());
        settlement.settle(call);
      }
    }
  }
}
