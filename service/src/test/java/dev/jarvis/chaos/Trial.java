package dev.jarvis.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionTimeoutException;

/** Strikes with one fault while calls are held at many moments, and audits what is left. */
final class Trial {
  /**
   * A call that is held.
   *
   * @param tokens how many the model shall generate
   */
  record Probe(String moment, Kind kind, Account account, int tokens) {}

  /** After this time nothing may be open any more. */
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private static final Duration ARRIVAL_LIMIT = Duration.ofMinutes(1);
  private static final int CALLS_BEFORE = 15;
  private static final int CALLS_DURING = 30;
  private static final Duration DURING_LIMIT = Duration.ofSeconds(6);

  private final Cluster cluster;
  private final History history;
  private final AtomicInteger numbers;

  /**
   * @param numbers of the calls of the whole run
   */
  Trial(Cluster cluster, History history, AtomicInteger numbers) {
    this.cluster = cluster;
    this.history = history;
    this.numbers = numbers;
  }

  void run(Fault fault, List<Probe> probes, List<Account> accounts, Random random)
      throws IOException, InterruptedException {
    fault.prepare(cluster);
    try {
      strike(fault, probes, accounts, random);
    } finally {
      fault.restore(cluster);
      history.allReplicasAreBack();
    }
    audit();
  }

  private void strike(Fault fault, List<Probe> probes, List<Account> accounts, Random random)
      throws IOException, InterruptedException {
    Counted before = Counted.now(cluster);
    cluster.gate().shut();
    Load load = new Load(cluster, accounts, numbers);
    load.start(random);
    List<SentCall> held = new ArrayList<>();
    try {
      during(load, CALLS_BEFORE);
      probes.forEach(it -> held.add(send(it)));
      await()
          .atMost(ARRIVAL_LIMIT)
          .untilAsserted(
              () ->
                  assertThat(held.stream().filter(it -> !arrived(it)))
                      .as("calls that do not come to their moment")
                      .isEmpty());
      fault.strike(cluster);
      held.stream().filter(it -> it.kind().leaves()).forEach(SentCall::leave);
      cluster.gate().open();
      during(load, CALLS_DURING);
    } finally {
      fault.heal(cluster);
      cluster.gate().open();
      history.add(load.stop(), fault);
      held.forEach(SentCall::await);
      history.add(held, fault);
    }
    audit();
    if (fault.effect() == Fault.Effect.NONE) {
      before.assertGrownAlike(cluster);
    }
  }

  /** Waits until every promise is kept. */
  private void audit() {
    try {
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                assertThat(history.violations(cluster)).isEmpty();
                assertThat(cluster.reservations()).as("reservations that are left").isEmpty();
                assertThat(cluster.drift()).as("drift of the budgets' counters").isZero();
              });
    } finally {
      history.reported(cluster);
    }
  }

  private SentCall send(Probe probe) {
    return SentCall.send(
        cluster.first().uri("/v1/chat/completions"),
        numbers.incrementAndGet() + ":" + probe.moment(),
        probe.kind(),
        probe.account(),
        probe.tokens(),
        probe.tokens() > 100 ? 0 : 1);
  }

  /** At its moment, or refused before it. */
  private boolean arrived(SentCall call) {
    return call.ended() || cluster.gate().holds(call.requestId());
  }

  /** Waits until clients have made some more calls, if the fault lets them. */
  private static void during(Load load, int calls) {
    int until = load.sent() + calls;
    try {
      await().atMost(DURING_LIMIT).until(() -> load.sent() >= until);
    } catch (ConditionTimeoutException e) {
      // all clients wait for what is broken
    }
  }
}
