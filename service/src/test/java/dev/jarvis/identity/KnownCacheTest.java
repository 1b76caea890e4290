package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.identity.KnownCache.Rows;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KnownCacheTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final Map<String, String> rows = new ConcurrentHashMap<>();
  private final AtomicInteger version = new AtomicInteger(1);
  private final AtomicInteger reads = new AtomicInteger();
  private final KnownCache<String> cache = new KnownCache<>(100, this::select, this::select);

  private Rows<String> select(List<String> ids) {
    reads.incrementAndGet();
    Map<String, String> found = new HashMap<>(rows);
    found.keySet().retainAll(ids);
    return new Rows<>(version.get(), found);
  }

  @Test
  void whatIsReadIsHeld() {
    rows.put("a", "1");

    assertThat(cache.held("a")).isNull();
    assertThat(cache.read("a")).contains("1");
    assertThat(cache.read("b")).isEmpty();

    assertThat(cache.held("a")).isEqualTo("1");
    assertThat(cache.isMissing("b")).isTrue();
  }

  @Test
  void aReloadIsOneStatementAndDropsWhatIsGone() {
    rows.putAll(Map.of("a", "1", "b", "1"));
    cache.readAll(List.of("a", "b", "c"));
    rows.putAll(Map.of("a", "2", "c", "2", "d", "2"));
    rows.remove("b");
    int before = reads.get();

    cache.reload(version.incrementAndGet());

    assertThat(reads.get()).isEqualTo(before + 1);
    assertThat(cache.held("a")).isEqualTo("2");
    assertThat(cache.held("b")).isNull();
    assertThat(cache.isMissing("c")).as("may exist now").isFalse();
    assertThat(cache.held("d")).as("was not asked for").isNull();
  }

  @Test
  void bothKindsOfEntriesAreBounded() {
    IntStream.range(0, 5_000).filter(it -> it % 2 == 0).forEach(it -> rows.put("k" + it, "1"));
    for (int i = 0; i < 5_000; i++) {
      var ignored = cache.read("k" + i);
    }
    assertThat(cache.size()).isBetween(1L, 200L);
  }

  @Test
  void oneOfManyRequestsReads() throws Exception {
    rows.put("a", "1");
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    KnownCache<String> slow =
        new KnownCache<>(
            100,
            ids -> {
              reading.countDown();
              awaitLatch(goOn);
              return select(ids);
            },
            this::select);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletableFuture<Optional<String>> first =
          CompletableFuture.supplyAsync(() -> slow.read("a"), threads);
      awaitLatch(reading);
      List<CompletableFuture<Optional<String>>> others =
          IntStream.range(0, 20)
              .mapToObj(it -> CompletableFuture.supplyAsync(() -> slow.read("a"), threads))
              .toList();
      goOn.countDown();
      assertThat(first.get()).contains("1");
      for (CompletableFuture<Optional<String>> other : others) {
        await().atMost(LIMIT).until(other::isDone);
        assertThat(other.get()).contains("1");
      }
    }
    // those that came after the first had ended read again
    assertThat(reads.get()).isLessThan(21);
  }

  /** A row that was read before a change must not stay in memory after it. */
  @Test
  void whatWasReadBeforeAReloadIsNotKept() {
    rows.put("a", "valid");
    KnownCache<String> raced =
        new KnownCache<>(
            100,
            ids -> {
              Rows<String> old = select(ids);
              rows.put("a", "revoked");
              reloadOf.run();
              return old;
            },
            this::select);
    reloadOf = () -> raced.reload(version.incrementAndGet());

    assertThat(raced.read("a")).contains("valid");

    assertThat(raced.held("a")).isNull();
  }

  private Runnable reloadOf = () -> {};

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
