package dev.jarvis.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Clients that call both replicas until they are stopped. */
final class Load {
  static final int CLIENTS = 8;

  private static final List<Kind> KINDS = List.of(Kind.values());

  private static final long PAUSE_NANOS = 20_000_000; // no flood of calls that are refused at once

  private final Cluster cluster;
  private final List<Account> accounts;
  private final AtomicInteger numbers;
  private final Queue<SentCall> calls = new ConcurrentLinkedQueue<>();
  private final List<Thread> clients = new ArrayList<>();
  private volatile boolean stopped;

  /**
   * @param numbers of the calls
   */
  Load(Cluster cluster, List<Account> accounts, AtomicInteger numbers) {
    this.cluster = cluster;
    this.accounts = accounts;
    this.numbers = numbers;
  }

  void start(Random random) {
    for (int i = 0; i < CLIENTS; i++) {
      Random own = new Random(random.nextLong());
      clients.add(Thread.ofVirtual().name("client-" + i).start(() -> call(own)));
    }
  }

  private void call(Random random) {
    while (!stopped) {
      Replica replica = random.nextBoolean() ? cluster.first() : cluster.second();
      Account account = accounts.get(random.nextInt(accounts.size()));
      Kind kind = KINDS.get(random.nextInt(KINDS.size()));
      if (cluster.gate().port(replica.process().pid()) > 0) {
        SentCall call =
            SentCall.send(
                replica.uri("/v1/chat/completions"),
                numbers.incrementAndGet() + ":free",
                kind,
                account,
                5 + random.nextInt(36),
                random.nextInt(4));
        calls.add(call);
        if (kind.leaves()) {
          LockSupport.parkNanos(random.nextLong(100_000_000));
          call.leave();
        }
        call.await();
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  int sent() {
    return calls.size();
  }

  /** Waits for the end of the calls, and returns all. */
  List<SentCall> stop() throws InterruptedException {
    stopped = true;
    for (Thread client : clients) {
      client.join();
    }
    return List.copyOf(calls);
  }
}
