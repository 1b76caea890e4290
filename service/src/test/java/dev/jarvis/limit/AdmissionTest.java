package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AdmissionTest {
  private static final Duration LONG = Duration.ofSeconds(50);

  private final AtomicInteger waiting = new AtomicInteger();
  private final List<String> order = new CopyOnWriteArrayList<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    threads.close();
  }

  private Admission admission(int maxConcurrent, int maxQueued, Duration queueTimeout) {
    return new Admission(
        "searches",
        new Admission.Limits(maxConcurrent, maxQueued, queueTimeout),
        waiting::addAndGet);
  }

  /** Queues a request that notes its name once it is admitted. Returns when it is waiting. */
  private Future<?> queue(Admission admission, String user, String name) {
    int before = waiting.get();
    Future<?> request =
        threads.submit(
            () -> {
              try (Admission.Permit ignored = admission.acquire(user)) {
                order.add(name);
              }
            });
    awaitWaiting(before + 1);
    return request;
  }

  private void awaitWaiting(int count) {
    await().pollInterval(Duration.ofMillis(1)).until(() -> waiting.get() == count);
  }

  private void assertIdle(Admission admission, int permits) {
    assertThat(waiting).hasValue(0);
    assertThat(admission.users()).isZero();
    List<Admission.Permit> all = new ArrayList<>();
    for (int i = 0; i < permits; i++) {
      all.add(admission.acquire("last" + i));
    }
    assertThat(admission.users()).isEqualTo(permits);
    all.forEach(Admission.Permit::close);
    assertThat(admission.users()).isZero();
  }

  @Test
  void admitsUpToTheLimitAndRefusesTheRest() {
    Admission admission = admission(2, 0, LONG);
    Admission.Permit first = admission.acquire("ann");
    Admission.Permit second = admission.acquire("ann");

    assertThatThrownBy(() -> admission.acquire("bob"))
        .isInstanceOf(ApiException.Overloaded.class)
        .hasMessage(
            "The server is busy: 2 searches are in progress, which is the maximum, and 0 are"
                + " waiting, which is also the maximum. Try again later.");

    first.close();
    first.close(); // counts once
    Admission.Permit third = admission.acquire("bob");
    assertThatThrownBy(() -> admission.acquire("bob")).isInstanceOf(ApiException.Overloaded.class);
    second.close();
    third.close();
    assertIdle(admission, 2);
  }

  @Test
  void servesTheRequestsOfAUserInTheOrderOfArrival() throws Exception {
    Admission admission = admission(1, 100, LONG);
    Admission.Permit busy = admission.acquire("ann");
    List<Future<?>> requests = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      names.add("ann" + i);
      requests.add(queue(admission, "ann", "ann" + i));
    }

    busy.close();
    for (Future<?> request : requests) {
      request.get();
    }

    assertThat(order).containsExactlyElementsOf(names);
    assertIdle(admission, 1);
  }

  /** A semaphore would allow it at the moment at which a permit is released. */
  @Test
  void doesNotLetANewRequestOvertakeAWaitingOne() throws Exception {
    Admission admission = admission(1, 10, LONG);
    for (int round = 0; round < 200; round++) {
      order.clear();
      Admission.Permit busy = admission.acquire("ann");
      Future<?> queued = queue(admission, "ann", "waited");

      busy.close();
      try (Admission.Permit ignored = admission.acquire("bob")) {
        order.add("came later");
      }
      queued.get();

      assertThat(order).containsExactly("waited", "came later");
    }
  }

  @Test
  void servesAnotherUserNextEvenIfAHundredRequestsWait() throws Exception {
    Admission admission = admission(2, 200, LONG);
    Admission.Permit first = admission.acquire("ann");
    Admission.Permit second = admission.acquire("ann");
    List<Future<?>> requests = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      requests.add(queue(admission, "ann", "ann" + i));
    }
    requests.add(queue(admission, "bob", "bob"));

    first.close();
    await().until(() -> order.contains("bob"));

    assertThat(order.getFirst()).isEqualTo("bob");
    second.close();
    for (Future<?> request : requests) {
      request.get();
    }
    assertThat(order).hasSize(101);
    assertIdle(admission, 2);
  }

  @Test
  void letsUsersWithEquallyManyPermitsTakeTurns() throws Exception {
    Admission admission = admission(3, 10, LONG);
    List<Admission.Permit> busy = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      busy.add(admission.acquire("carl"));
    }
    List<CompletableFuture<Admission.Permit>> requests = new ArrayList<>();
    for (String user : List.of("ann", "ann", "ann", "bob", "bob")) {
      int before = waiting.get();
      requests.add(
          CompletableFuture.supplyAsync(
              () -> {
                Admission.Permit permit = admission.acquire(user);
                order.add(user);
                return permit;
              },
              threads));
      awaitWaiting(before + 1);
    }

    for (int i = 0; i < 3; i++) {
      busy.get(i).close();
      int admitted = i + 1;
      await().until(() -> order.size() == admitted);
    }

    assertThat(order).containsExactly("ann", "bob", "ann");
    requests.get(0).get().close(); // now both hold one, and ann was served last
    await().until(() -> order.size() == 4);
    assertThat(order).endsWith("bob");
    requests.get(1).get().close(); // ann holds none
    await().until(() -> order.size() == 5);
    assertThat(order).endsWith("ann");
    for (CompletableFuture<Admission.Permit> request : requests) {
      request.get().close();
    }
    assertIdle(admission, 3);
  }

  @Test
  void letsUsersTakeTurnsWithASinglePermit() throws Exception {
    Admission admission = admission(1, 20, LONG);
    Admission.Permit busy = admission.acquire("ann");
    List<Future<?>> requests = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      requests.add(queue(admission, "ann", "ann" + i));
    }
    requests.add(queue(admission, "bob", "bob0"));
    requests.add(queue(admission, "bob", "bob1"));

    busy.close();
    for (Future<?> request : requests) {
      request.get();
    }

    assertThat(order).containsExactly("ann0", "bob0", "ann1", "bob1", "ann2", "ann3", "ann4");
    assertIdle(admission, 1);
  }

  @Test
  void dropsTheNewestRequestOfTheUserWithTheMostIfTheQueueIsFull() throws Exception {
    Admission admission = admission(1, 3, LONG);
    Admission.Permit busy = admission.acquire("carl");
    Future<?> first = queue(admission, "ann", "ann1");
    Future<?> second = queue(admission, "ann", "ann2");
    Future<?> third = queue(admission, "ann", "ann3");
    assertThatThrownBy(() -> admission.acquire("ann"))
        .as("the user with the most waiting requests")
        .hasMessageContaining("and 3 are waiting");

    Future<?> other =
        threads.submit(
            () -> {
              try (Admission.Permit ignored = admission.acquire("bob")) {
                order.add("bob");
              }
            });

    assertThatThrownBy(third::get)
        .cause()
        .isInstanceOf(ApiException.Overloaded.class)
        .hasMessageContaining("your newest one was refused in favour of another user");
    assertThat(waiting).hasValue(3);
    busy.close();
    first.get();
    second.get();
    other.get();
    assertThat(order).containsExactly("ann1", "bob", "ann2");
    assertIdle(admission, 1);
  }

  @Test
  void removesACancelledRequestFromTheQueue() throws Exception {
    Admission admission = admission(1, 1, LONG);
    Admission.Permit busy = admission.acquire("ann");
    Cancellation scope = new Cancellation();
    Future<Admission.Permit> request =
        threads.submit(() -> scope.call(() -> admission.acquire("bob")));
    awaitWaiting(1);

    scope.cancel();

    assertThatThrownBy(request::get).cause().isInstanceOf(CancelledException.class);
    assertThat(waiting).hasValue(0);
    assertThatThrownBy(() -> scope.run(() -> admission.acquire("bob")))
        .as("a call after the cancellation")
        .isInstanceOf(CancelledException.class);
    Future<?> next = queue(admission, "carl", "carl");
    busy.close();
    next.get();
    assertIdle(admission, 1);
  }

  @Test
  void passesOnThePermitOfARequestCancelledAtTheSameTime() throws Exception {
    Admission admission = admission(1, 2, LONG);
    for (int round = 0; round < 300; round++) {
      Admission.Permit busy = admission.acquire("ann");
      Cancellation scope = new Cancellation();
      Future<?> cancelled =
          threads.submit(() -> scope.call(() -> admission.acquire("bob"))); // never closes it
      awaitWaiting(1);
      Future<?> next = queue(admission, "carl", "carl");

      CompletableFuture<Void> cancelling = CompletableFuture.runAsync(scope::cancel, threads);
      busy.close();
      cancelling.get();

      try {
        ((Admission.Permit) cancelled.get()).close(); // it was admitted before the cancellation
      } catch (ExecutionException e) {
        assertThat(e).cause().isInstanceOf(CancelledException.class);
      }
      next.get();
    }
    assertIdle(admission, 1);
  }

  @Test
  void removesATimedOutRequestFromTheQueue() {
    Admission admission = admission(1, 1, Duration.ofMillis(1));
    Admission.Permit busy = admission.acquire("ann");

    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> admission.acquire("bob"))
          .isInstanceOf(ApiException.Overloaded.class)
          .hasMessage(
              "The server is busy: 1 searches are in progress, which is the maximum, and yours"
                  + " waited for more than 1 ms. Try again later.");
      assertThat(waiting).hasValue(0);
    }
    busy.close();
    assertIdle(admission, 1);
  }

  @Test
  void limitsThePermitsOfAUser() throws Exception {
    Admission admission =
        new Admission("uploads", new Admission.Limits(4, 2, 1, LONG), waiting::addAndGet);
    Admission.Permit first = admission.acquire("ann");
    Admission.Permit second = admission.acquire("ann");
    Future<?> third = queue(admission, "ann", "ann3");
    assertThatThrownBy(() -> admission.acquire("ann"))
        .hasMessage(
            "The server is busy: 2 of your uploads are in progress, which is the maximum per user,"
                + " and 1 are waiting, which is also the maximum. Try again later.");

    Admission.Permit bob = admission.acquire("bob");
    assertThat(order).isEmpty();
    bob.close();
    assertThat(waiting).as("requests of ann").hasValue(1);
    first.close();
    third.get();

    second.close();
    assertThat(waiting).hasValue(0);
    assertThat(admission.users()).isZero();
  }

  @Test
  void neitherLosesNorDuplicatesAPermit() {
    int permits = 7;
    Admission admission =
        new Admission(
            "searches",
            new Admission.Limits(permits, 3, 50, Duration.ofMillis(5)),
            waiting::addAndGet);
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    AtomicInteger admitted = new AtomicInteger();
    List<CompletableFuture<Void>> clients = Collections.synchronizedList(new ArrayList<>());
    for (int client = 0; client < 200; client++) {
      Random random = new Random(client);
      String user = "user" + random.nextInt(9);
      clients.add(
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < 50; i++) {
                  once(admission, user, random, inside, most, admitted);
                }
              },
              threads));
    }

    CompletableFuture.allOf(clients.toArray(CompletableFuture[]::new)).join();

    assertThat(most.get()).isLessThanOrEqualTo(permits);
    assertThat(admitted.get()).isPositive();
    assertThat(inside).hasValue(0);
    assertIdle(admission, permits);
  }

  private void once(
      Admission admission,
      String user,
      Random random,
      AtomicInteger inside,
      AtomicInteger most,
      AtomicInteger admitted) {
    Cancellation scope = new Cancellation();
    if (random.nextInt(4) == 0) {
      CompletableFuture.delayedExecutor(random.nextInt(3_000), TimeUnit.MICROSECONDS, threads)
          .execute(scope::cancel);
    }
    try (Admission.Permit permit = scope.call(() -> admission.acquire(user))) {
      most.accumulateAndGet(inside.incrementAndGet(), Math::max);
      admitted.incrementAndGet();
      Thread.onSpinWait();
      inside.decrementAndGet();
      if (random.nextBoolean()) {
        permit.close(); // it is closed once more at the end
      }
    } catch (ApiException.Overloaded e) {
      assertThat(e).hasMessageEndingWith(".");
    } catch (CancelledException e) {
      assertThat(scope.cancelled()).isTrue();
    } catch (RuntimeException e) {
      throw new CompletionException(e);
    }
  }
}
