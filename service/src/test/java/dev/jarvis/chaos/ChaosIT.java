package dev.jarvis.chaos;

import dev.jarvis.chaos.Trial.Probe;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Breaks what the ledger and the budgets depend on, and counts. Each test strikes with one fault
 * while a replica holds calls of several kinds, with and without budgets, at every moment of the
 * pipeline. In {@code make chaos} every combination occurs; without {@code -Dchaos.all} every pair
 * of fault, moment, kind and budget does. {@code -Dchaos.seed} repeats a run.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ChaosIT {
  /** Enough for all calls of a test. */
  private static final BigDecimal AMPLE = new BigDecimal("100000");

  /** Enough for about 20 calls. */
  private static final BigDecimal TIGHT = new BigDecimal("2");

  private static final List<Fault> FAULTS = List.of(Fault.values());
  private static final List<Kind> KINDS = List.of(Kind.values());
  private static final int BUDGETS = 3;
  private static final int TIGHTLY = 2;

  /** The tokens of a stream that has checkpoints. */
  private static final int LONG = 5000;

  private static final boolean ALL = Boolean.getBoolean("chaos.all");

  /** The most calls that are held at once. */
  private static final int WAVE = 150;

  private final long seed = Long.getLong("chaos.seed", Instant.now().getEpochSecond());
  private final Instant start = Instant.now();
  private final Random random = new Random(seed);
  private final AtomicInteger numbers = new AtomicInteger();
  private final History history = new History();
  private List<int[]> rows;
  private List<String> moments;
  private Cluster cluster;
  private Trial trial;
  private Account unlimited;
  private Account ample;

  @BeforeAll
  void startCluster() throws Exception {
    say("seed %d, repeated by -Dchaos.seed=%d".formatted(seed, seed));
    cluster = new Cluster();
    moments = Moment.all(cluster.gate().stages());
    int[] sizes = {FAULTS.size(), moments.size(), KINDS.size(), BUDGETS};
    rows = ALL ? Pairwise.product(sizes) : Pairwise.rows(random, sizes);
    trial = new Trial(cluster, history, numbers);
    unlimited = cluster.account("unlimited", null);
    ample = cluster.account("ample", AMPLE);
    history.limit(ample, 0);
    say(
        "%d of %d combinations of %d faults, %d moments"
            .formatted(rows.size(), Pairwise.product(sizes).size(), sizes[0], sizes[1]));
  }

  @AfterAll
  void stopCluster() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  static Stream<Fault> faults() {
    String only = System.getProperty("chaos.fault", "");
    return FAULTS.stream().filter(it -> only.isEmpty() || it.name().matches(only));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void promisesAreKept(Fault fault) throws Exception {
    List<int[]> own = rows.stream().filter(it -> FAULTS.get(it[0]) == fault).toList();
    for (int from = 0; from < own.size(); from += WAVE) {
      List<int[]> wave = own.subList(from, Math.min(own.size(), from + WAVE));
      Account tight = cluster.account("tight-%s-%d".formatted(fault, from), TIGHT);
      long held = wave.stream().filter(it -> it[3] == TIGHTLY).count();
      history.limit(tight, (int) held + Load.CLIENTS);
      List<Account> accounts = List.of(unlimited, ample, tight);
      List<Probe> probes = new ArrayList<>();
      for (int[] row : wave) {
        probes.add(new Probe(moments.get(row[1]), KINDS.get(row[2]), accounts.get(row[3]), 40));
      }
      probes.add(new Probe(Moment.HALF, Kind.STREAM, unlimited, LONG));
      trial.run(fault, probes, accounts, random);
      say("%s: %d calls held, %d calls in all".formatted(fault, probes.size(), numbers.get()));
    }
  }

  private void say(String text) {
    System.out.printf(
        "chaos %4d s: %s%n", Duration.between(start, Instant.now()).toSeconds(), text);
  }
}
