package dev.jarvis.gateway.cache;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.ForwardingAnswer;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.Settlement;
import dev.jarvis.gateway.Stage;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Looks an answer up in the cache, or has it generated, apart from the client's thread. Calls that
 * ask the same while it is generated read along: a reader that is slow delays nobody, and the
 * generation ends when the last reader has left. Thread-safe.
 */
public final class SharedGenerations implements Stage, AutoCloseable {
  /** The share of the heap that answers on their way may take: one of so many parts. */
  private static final int HEAP_SHARE = 8;

  /** How long a reader that leaves waits for the generation to stop and be recorded. */
  private static final Duration SETTLE_LIMIT = Duration.ofSeconds(1);

  /** How long {@link #close} waits for all of them. */
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  /** Longer than any answer may take. */
  private static final Duration FOREVER = Duration.ofDays(1);

  private static final int STRIPES = 1024;

  private static final Logger LOG = LoggerFactory.getLogger(SharedGenerations.class);

  private final AnswerCache cache;
  private final Settlement settlement;
  private final Duration patience;
  private final AnswerBuffer.Budget budget =
      new AnswerBuffer.Budget(Runtime.getRuntime().maxMemory() / HEAP_SHARE);
  private final Map<String, Flight> flights = new ConcurrentHashMap<>();
  private final Set<Flight> running = ConcurrentHashMap.newKeySet();

  /** Counts the flights that ended, as a clock; and by the hash of their keys when one last did. */
  private final AtomicLong ends = new AtomicLong();

  private final AtomicLongArray lastEnds = new AtomicLongArray(STRIPES);

  /**
   * @param patience how long a reader may leave its buffer full, in total
   */
  public SharedGenerations(AnswerCache cache, Settlement settlement, Duration patience) {
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
        return new Flight(call, lookup, next).claimed().start();
      }
      Flight started = new Flight(call, lookup, next);
      Flight flight =
          flights.compute(
              key,
              (k, current) ->
                  current != null || endedSince(lookedAt, k) ? current : started.claimed());
      if (flight == null) {
        continue; // it ended just after the look: its answer is in the cache by now
      }
      if (flight == started) {
        cache.count(lookup.result());
        return started.start();
      }
      AnswerBuffer.Reader reader = flight.buffer.join();
      if (reader != null) {
        return new Following(call, next, new Given(call, reader), again);
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

  /** Cancels the generations and waits until they are settled, for two seconds at most. */
  @Override
  public void close() throws InterruptedException {
    long deadline = System.nanoTime() + CLOSE_LIMIT.toNanos();
    running.forEach(it -> it.scope.cancel());
    for (Flight flight : running) {
      boolean ignored =
          flight.settled.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
  }

  /** One generation, read by those who asked for it. */
  private final class Flight {
    private final Call call;
    private final AnswerCache.Lookup lookup;
    private final Next next;
    private final Cancellation scope = new Cancellation();
    private final CountDownLatch settled = new CountDownLatch(1);
    private final AnswerBuffer buffer;
    private AnswerBuffer.@Nullable Reader leader;

    Flight(Call call, AnswerCache.Lookup lookup, Next next) {
      this.call = call;
      this.lookup = lookup;
      this.next = next;
      this.buffer = new AnswerBuffer(budget, patience, scope, lookup.key() != null);
    }

    /** Its leader reads first, so that a reader that joins and leaves does not end it. */
    Flight claimed() {
      leader = buffer.reader();
      return this;
    }

    Answer start() {
      AnswerBuffer.Reader reader = Objects.requireNonNull(leader);
      running.add(this);
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
      try {
        end = answer();
      } catch (RuntimeException | Error e) {
        OutOfMemory.endProcessIf(e);
        failure = e;
        call.record().failed(e);
      } finally {
        ended(end, failure);
      }
    }

    private Event.End answer() {
      Head head;
      Event event;
      try (Answer answer = next.proceed(call)) {
        head = answer.head();
        buffer.head(head.withCache(lookup.header()));
        event = answer.next();
        while (!(event instanceof Event.End)) {
          buffer.put(event);
          event = answer.next();
        }
      }
      keep(head);
      return (Event.End) event;
    }

    /** Whatever fails here, the readers learn that it is over. */
    private void ended(Event.End end, @Nullable Throwable failure) {
      if (lookup.key() != null) {
        lastEnds.accumulateAndGet(stripe(lookup.key()), ends.incrementAndGet(), Math::max);
        flights.remove(lookup.key(), this);
      }
      try {
        settlement.settle(call);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("a call cannot be settled");
      } finally {
        running.remove(this);
        settled.countDown();
        buffer.end(end, failure);
      }
    }

    /** A cache that fails does not fail the answer. */
    private void keep(Head head) {
      List<Event> events = lookup.key() == null ? null : buffer.kept();
      if (events != null) {
        try {
          cache.keep(lookup, new CachedAnswer(head.target(), events));
        } catch (RuntimeException e) {
          LOG.atWarn().setCause(e).log("an answer cannot be kept");
        }
      }
    }
  }

  /** The answer of the call that started the generation. */
  private static final class Leading extends ForwardingAnswer {
    private final Cancellation scope;
    private final CountDownLatch settled;

    Leading(AnswerBuffer.Reader reader, Cancellation scope, CountDownLatch settled) {
      super(reader);
      this.scope = scope;
      this.settled = settled;
    }

    /** If the generation ends with a client that leaves, its outcome stands in the log line. */
    @Override
    public void close() {
      super.close();
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
   * The answer of a call that reads along. If the generation fails before its first event, the call
   * is handled once more, and settled by whatever answers it then: an error of another's call is
   * not handed on.
   */
  private final class Following implements Answer {
    private final Call call;
    private final Next next;
    private final boolean again;
    private @Nullable Given given;
    private Answer answer;
    private boolean begun;

    Following(Call call, Next next, Given given, boolean again) {
      this.call = call;
      this.next = next;
      this.given = given;
      this.answer = given;
      this.again = again;
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
        if (begun || !again || given == null) {
          throw e;
        }
        given.abandon();
        given = null;
        answer = handle(call, next, false);
        return answer.await(limit);
      }
    }

    @Override
    public void close() {
      answer.close();
    }
  }

  /**
   * An answer that was generated before, or for somebody else: it costs nothing, also where its
   * client leaves early. Settled when it is closed, or at its end.
   */
  private final class Given implements Answer {
    private final Call call;
    private final Answer answer;
    private @Nullable Head head;
    private @Nullable FinishReason reason;
    private @Nullable Throwable failure;

    Given(Call call, Answer answer) {
      this.call = call;
      this.answer = answer;
    }

    @Override
    public Head head() {
      Head known = failing(answer::head).withCache(AnswerCache.Result.HIT.header());
      head = known;
      return known;
    }

    @Override
    public boolean await(Duration limit) {
      return failing(() -> answer.await(limit));
    }

    @Override
    public Event next() {
      Event event = failing(answer::next);
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

    private <T> T failing(Supplier<T> part) {
      try {
        return part.get();
      } catch (RuntimeException | Error e) {
        failure = e;
        throw e;
      }
    }

    /** Leaves it unsettled: the call is answered in another way. */
    void abandon() {
      answer.close();
    }

    @Override
    public void close() {
      answer.close();
      settle();
    }
  }
}
