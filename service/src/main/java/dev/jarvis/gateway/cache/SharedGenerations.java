package dev.jarvis.gateway.cache;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.error.OutOfMemory;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Returns a cached answer, or generates one on a thread other than the client's. Equal calls that
 * arrive during a generation read its answer too: a slow reader does not delay the others, and the
 * generation is cancelled when its last reader has left. Thread-safe.
 */
public final class SharedGenerations implements Stage, AutoCloseable {
  /** The buffers of all answers may together take this part of the heap: one eighth. */
  private static final int HEAP_SHARE = 8;

  /** How long the last reader that leaves waits until the generation is stopped and settled. */
  private static final Duration SETTLE_LIMIT = Duration.ofSeconds(1);

  /** How long {@link #close} waits for all generations. */
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

  private static final int STRIPES = 1024;

  private static final Logger LOG = LoggerFactory.getLogger(SharedGenerations.class);

  private final AnswerCache cache;
  private final Settlement settlement;
  private final Duration patience;
  private final AnswerBuffer.Budget budget =
      new AnswerBuffer.Budget(Runtime.getRuntime().maxMemory() / HEAP_SHARE);

  /** The generations that other calls may join, by cache key. */
  private final Map<String, Generation> joinable = new ConcurrentHashMap<>();

  private final Set<Generation> running = ConcurrentHashMap.newKeySet();

  /** The number of generations that have ended: a logical clock. */
  private final AtomicLong ends = new AtomicLong();

  /** When a generation last ended, by the hash of its key. */
  private final AtomicLongArray lastEnds = new AtomicLongArray(STRIPES);

  /**
   * @param patience how long a reader may keep its buffer full, in total
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

  /**
   * @param mayRetry whether the call is handled once more if a generation that it joins fails
   */
  private Answer handle(Call call, Next next, boolean mayRetry) {
    while (true) {
      long lookupTime = ends.get();
      AnswerCache.Lookup lookup = cache.lookUp(call);
      if (lookup.answer() != null) {
        return reused(call, lookup.answer().replay(call.question().model()));
      }
      String key = lookup.key();
      if (key == null || !lookup.joins()) {
        cache.count(lookup.result());
        return new Generation(call, lookup, next).claim().start();
      }
      Generation created = new Generation(call, lookup, next);
      Generation generation =
          joinable.compute(
              key,
              (k, current) ->
                  current != null || endedSince(lookupTime, k) ? current : created.claim());
      if (generation == null) {
        continue; // one ended just after the lookup, so its answer is in the cache by now
      }
      if (generation == created) {
        cache.count(lookup.result());
        return created.start();
      }
      AnswerBuffer.Reader reader = generation.buffer.join();
      if (reader != null) {
        return new FollowerAnswer(reused(call, reader), mayRetry, () -> handle(call, next, false));
      }
      joinable.remove(key, generation); // it has ended, or its beginning is no longer kept
    }
  }

  private ReusedAnswer reused(Call call, Answer answer) {
    return new ReusedAnswer(call, answer, cache, settlement);
  }

  private boolean endedSince(long time, String key) {
    return lastEnds.get(stripe(key)) > time;
  }

  private static int stripe(String key) {
    return Math.floorMod(key.hashCode(), STRIPES);
  }

  /** Cancels all generations and waits up to two seconds until they are settled. */
  @Override
  public void close() throws InterruptedException {
    long deadline = System.nanoTime() + CLOSE_LIMIT.toNanos();
    running.forEach(it -> it.scope.cancel());
    for (Generation generation : running) {
      boolean ignored =
          generation.settled.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
  }

  /** The generation of one answer, with the calls that read it. */
  private final class Generation {
    private final Call call;
    private final AnswerCache.Lookup lookup;
    private final Next next;
    private final Cancellation scope = new Cancellation();
    private final CountDownLatch settled = new CountDownLatch(1);
    private final AnswerBuffer buffer;
    private AnswerBuffer.@Nullable Reader leader;

    Generation(Call call, AnswerCache.Lookup lookup, Next next) {
      this.call = call;
      this.lookup = lookup;
      this.next = next;
      this.buffer = new AnswerBuffer(budget, patience, scope, lookup.key() != null);
    }

    /** Adds the leader as first reader, so that a reader that joins and leaves does not end it. */
    Generation claim() {
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
      return new LeaderAnswer(reader, scope, settled);
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

    /** Ends the buffer in any case, so that no reader waits for ever. */
    private void ended(Event.End end, @Nullable Throwable failure) {
      if (lookup.key() != null) {
        lastEnds.accumulateAndGet(stripe(lookup.key()), ends.incrementAndGet(), Math::max);
        joinable.remove(lookup.key(), this);
      }
      try {
        settlement.settle(call);
      } catch (RuntimeException e) {
        LOG.atError().setCause(e).log("a call could not be settled");
      } finally {
        running.remove(this);
        settled.countDown();
        buffer.end(end, failure);
      }
    }

    /** Stores the answer in the cache; a failure of the cache is logged and otherwise ignored. */
    private void keep(Head head) {
      List<Event> events = lookup.key() == null ? null : buffer.kept();
      if (events != null) {
        try {
          cache.keep(lookup, new CachedAnswer(head.target(), events));
        } catch (RuntimeException e) {
          LOG.atWarn().setCause(e).log("an answer could not be cached");
        }
      }
    }
  }

  /** The answer of the call that started the generation. */
  private static final class LeaderAnswer extends ForwardingAnswer {
    private final Cancellation scope;
    private final CountDownLatch settled;

    LeaderAnswer(AnswerBuffer.Reader reader, Cancellation scope, CountDownLatch settled) {
      super(reader);
      this.scope = scope;
      this.settled = settled;
    }

    /** Waits for the outcome of a cancelled generation, so that the log line can show it. */
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
}
