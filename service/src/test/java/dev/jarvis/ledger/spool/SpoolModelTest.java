package dev.jarvis.ledger.spool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.ledger.spool.FaultyFiles.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random calls, faults of the disk, killed processes and machines that lose power, against a
 * reference that is two maps.
 */
@Timeout(120)
class SpoolModelTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Spool.Limits LIMITS = new Spool.Limits(1 << 20, 4 << 10, Duration.ofDays(1));

  @TempDir private Path folders;

  private final Random random = new Random();
  private FaultyFiles files = new FaultyFiles(random);
  private Spool spool;
  private Path folder;
  private int restarts;

  /** What must be found after a stop. */
  private final Map<UUID, String> open = new LinkedHashMap<>();

  private final Set<UUID> unconfirmed = new LinkedHashSet<>();
  private final Set<UUID> ended = new HashSet<>();

  @BeforeEach
  void open() throws IOException {
    folder = folders.resolve("0");
    spool = Spool.open(folder, LIMITS, InstantSource.system(), files);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void keepsWhatItAccepted(long seed) throws Exception {
    random.setSeed(seed);
    for (int step = 0; step < 1_500; step++) {
      int choice = random.nextInt(1_000);
      if (choice < 300) {
        begin();
      } else if (choice < 550) {
        progress();
      } else if (choice < 800) {
        end();
      } else if (choice < 950) {
        confirm(1 + random.nextInt(20));
      } else if (choice < 970) {
        files.fail(Fault.values()[random.nextInt(Fault.values().length)]);
      } else if (choice < 990) {
        files.work();
      } else {
        restart(random.nextBoolean());
      }
    }
    files.work();
    restart(false);
    while (!unconfirmed.isEmpty()) {
      confirm(100);
    }
    assertThat(spool.unconfirmed()).isZero();
    spool.close();
  }

  private void begin() {
    UUID id = new UUID(random.nextLong(), random.nextLong());
    try {
      assertThat(spool.intent(id, bytes("intent " + id))).isPositive();
      open.put(id, "intent " + id);
    } catch (SpoolFull e) {
      assertThat(spool.failing()).isTrue();
    }
  }

  private UUID any(Set<UUID> ids) {
    return List.copyOf(ids).get(random.nextInt(ids.size()));
  }

  private void progress() {
    if (!open.isEmpty()) {
      UUID id = any(open.keySet());
      String payload = "step " + random.nextInt();
      spool.attempt(id, bytes(payload));
      open.put(id, payload);
    }
  }

  private void end() {
    if (open.isEmpty()) {
      return;
    }
    UUID id = any(open.keySet());
    open.remove(id);
    ended.add(id);
    if (random.nextInt(5) == 0) {
      spool.voided(id);
    } else {
      spool.settled(id, bytes("entry " + id));
      unconfirmed.add(id);
    }
  }

  private void confirm(int most) throws Exception {
    Spool.Batch batch = spool.next(most, Duration.ZERO);
    List<UUID> expected = unconfirmed.stream().limit(batch.entries().size()).toList();
    assertThat(batch.entries().stream().map(Spool.Settled::id)).containsExactlyElementsOf(expected);
    for (Spool.Settled it : batch.entries()) {
      assertThat(new String(it.entry(), UTF_8)).isEqualTo("entry " + it.id());
    }
    if (random.nextInt(4) > 0 && !batch.entries().isEmpty()) {
      spool.confirmed(batch, bytes("database"));
      expected.forEach(unconfirmed::remove);
    }
  }

  private void restart(boolean power) throws Exception {
    files.work(); // what the disk never took cannot be found
    assertThat(spool.awaitDurable(spool.work().ticket(), LONG)).isTrue();
    Path next = folders.resolve(Integer.toString(++restarts));
    Set<UUID> maybe = new HashSet<>();
    for (int i = random.nextInt(4); i > 0; i--) { // not durable: may or may not be found
      UUID id = new UUID(random.nextLong(), random.nextLong());
      spool.intent(id, bytes("intent " + id));
      maybe.add(id);
    }
    files.copy(folder, next, power);
    if (power) {
      Files.writeString(next.resolve(SpoolFolder.RUNNING), "an earlier start of the machine");
    }
    spool.close();
    folder = next;
    files = new FaultyFiles(random);
    spool = Spool.open(folder, LIMITS, InstantSource.system(), files);

    Map<UUID, String> found =
        spool.recovered().unfinished().stream()
            .collect(Collectors.toMap(Spool.Unfinished::id, SpoolModelTest::last));
    if (!power) {
      assertThat(found.keySet()).containsAll(maybe);
    }
    maybe.stream()
        .filter(found::containsKey)
        .forEach(
            id -> {
              found.remove(id);
              spool.voided(id);
            });
    assertThat(found).containsExactlyInAnyOrderEntriesOf(open);
    assertThat(spool.recovered().complete()).isEqualTo(!power);
    assertThat(spool.quarantined()).isZero();
    checkUnconfirmed();
  }

  private void checkUnconfirmed() throws IOException, InterruptedException {
    assertThat(spool.unconfirmed()).isEqualTo(unconfirmed.size());
    List<UUID> found = new ArrayList<>();
    spool.next(10_000, Duration.ZERO).entries().forEach(it -> found.add(it.id()));
    assertThat(unconfirmed).containsAll(found);
  }

  private static String last(Spool.Unfinished call) {
    return new String(call.attempt() == null ? call.intent() : call.attempt(), UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
