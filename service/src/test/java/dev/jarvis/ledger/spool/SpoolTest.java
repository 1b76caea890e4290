package dev.jarvis.ledger.spool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.jarvis.ledger.spool.FaultyFiles.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SpoolTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Duration KEEP = Duration.ofHours(24);
  private static final byte[] DATABASE = bytes("database");

  @TempDir private Path folders;
  private final FaultyFiles files = new FaultyFiles(new Random(1));
  private Instant now = Instant.parse("2026-03-01T12:00:00Z");
  private Path folder = Path.of("");

  @BeforeEach
  void name() {
    folder = folders.resolve("spool");
  }

  private Spool open(long maxBytes, long segmentBytes) throws IOException {
    return Spool.open(folder, new Spool.Limits(maxBytes, segmentBytes, KEEP), () -> now, files);
  }

  private Spool open() throws IOException {
    return open(1 << 20, 4 << 10);
  }

  /** What a process finds that starts while this one is killed. */
  private Spool afterKill(boolean power) throws IOException {
    Path next = folders.resolve("next");
    files.copy(folder, next, power);
    if (power) {
      Files.writeString(next.resolve(SpoolFolder.RUNNING), "an earlier start");
    }
    folder = next;
    return open();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static UUID id(int number) {
    return new UUID(1, number);
  }

  private static void settle(Spool spool, int from, int to) {
    IntStream.range(from, to).forEach(i -> spool.settled(id(i), bytes("entry " + i)));
  }

  private static List<UUID> ids(Spool spool, int most) throws Exception {
    return spool.next(most, Duration.ZERO).entries().stream().map(Spool.Settled::id).toList();
  }

  /** All entries that are not confirmed, in their order. */
  private static List<UUID> drain(Spool spool) throws Exception {
    List<UUID> ids = new ArrayList<>();
    while (true) {
      Spool.Batch batch = spool.next(7, Duration.ZERO);
      if (batch.entries().isEmpty()) {
        return ids;
      }
      batch.entries().forEach(it -> ids.add(it.id()));
      spool.confirmed(batch, DATABASE);
    }
  }

  private static List<UUID> range(int from, int to) {
    return IntStream.range(from, to).mapToObj(SpoolTest::id).toList();
  }

  @Test
  void entriesComeBackInOrderUntilTheyAreConfirmed() throws Exception {
    try (Spool spool = open()) {
      settle(spool, 0, 10);
      assertThat(ids(spool, 3)).isEqualTo(range(0, 3));
      assertThat(ids(spool, 3)).as("not confirmed").isEqualTo(range(0, 3));
      spool.confirmed(spool.next(3, Duration.ZERO), DATABASE);
      assertThat(ids(spool, 100)).isEqualTo(range(3, 10));
      assertThat(spool.unconfirmed()).isEqualTo(7);
    }
    try (Spool spool = open()) {
      assertThat(spool.unconfirmed()).isEqualTo(7);
      assertThat(spool.identity()).isEqualTo(DATABASE);
      assertThat(drain(spool)).isEqualTo(range(3, 10));
      spool.rewind();
      assertThat(drain(spool)).as("all that are kept").isEqualTo(range(0, 10));
    }
  }

  @Test
  void aCallThatHasNotEndedIsFoundWithItsLastRecords() throws Exception {
    try (Spool spool = open()) {
      spool.intent(id(1), bytes("one"));
      spool.intent(id(2), bytes("two"));
      spool.attempt(id(2), bytes("a"));
      spool.checkpoint(id(2), bytes("10 tokens"));
      spool.checkpoint(id(2), bytes("20 tokens"));
      spool.intent(id(3), bytes("three"));
      spool.settled(id(3), bytes("entry"));
      spool.intent(id(4), bytes("four"));
      spool.voided(id(4));
      settle(spool, 100, 300); // some segments later
      try (Spool next = afterKill(false)) {
        assertThat(next.replicaId()).isEqualTo(spool.replicaId());
        assertThat(next.recovered().known()).contains(id(1), id(2), id(3), id(4));
        assertThat(next.recovered().unfinished())
            .satisfiesExactlyInAnyOrder(
                it -> {
                  assertThat(it.id()).isEqualTo(id(1));
                  assertThat(it.attempt()).isNull();
                },
                it -> {
                  assertThat(it.id()).isEqualTo(id(2));
                  assertThat(it.intent()).isEqualTo(bytes("two"));
                  assertThat(it.attempt()).isEqualTo(bytes("a"));
                  assertThat(it.checkpoint()).isEqualTo(bytes("20 tokens"));
                });
        next.voided(id(1));
        next.settled(id(2), bytes("estimate"));
      }
    }
    try (Spool last = open()) {
      assertThat(last.recovered().unfinished()).isEmpty();
    }
  }

  @Test
  void onlyTheFolderOfOneProcess() throws Exception {
    try (Spool spool = open()) {
      assertThat(spool.recovered().complete()).as("new").isFalse();
      assertThatThrownBy(() -> SpoolFolder.open(folder, Duration.ZERO, files))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("belongs to another running process");
    }
    try (Spool spool = open()) {
      assertThat(spool.recovered().complete()).isTrue();
    }
  }

  @Test
  void afterAStopOfTheMachineRecordsMayBeMissing() throws Exception {
    try (Spool spool = open()) {
      spool.intent(id(1), bytes("one"));
      try (Spool next = afterKill(true)) {
        assertThat(next.recovered().complete()).isFalse();
      }
    }
  }

  @Test
  void aDurableRecordSurvivesTheMachine() throws Exception {
    try (Spool spool = open()) {
      assertThat(spool.awaitDurable(spool.intent(id(1), bytes("one")), LONG)).isTrue();
      try (Spool next = afterKill(true)) {
        assertThat(next.recovered().unfinished()).hasSize(1);
      }
    }
  }

  /** Each byte of the last record may be the last one that was written. */
  @Test
  void aTornEndIsCut() throws Exception {
    try (Spool spool = open()) {
      settle(spool, 0, 3);
    }
    Path segment = Segment.path(folder, 1);
    byte[] whole = Files.readAllBytes(segment);
    int last = whole.length / 3;
    for (int length = whole.length - last + 1; length < whole.length; length++) {
      Files.write(segment, Arrays.copyOf(whole, length));
      Files.deleteIfExists(Segment.path(folder, 2));
      try (Spool spool = open()) {
        assertThat(drain(spool)).isEqualTo(range(0, 2));
        assertThat(spool.quarantined()).isZero();
        assertThat(spool.recovered().complete()).as("no kill tears").isFalse();
        assertThat(segment).hasSize(whole.length - last);
      }
      Files.deleteIfExists(Segment.path(folder, 2));
    }
  }

  /** Every byte of a record but the last one of the file is damaged once. */
  @Test
  void aDamagedRecordIsKeptInQuarantineAndAllOthersAreUsed() throws Exception {
    try (Spool spool = open()) {
      settle(spool, 0, 3);
    }
    Path segment = Segment.path(folder, 1);
    byte[] whole = Files.readAllBytes(segment);
    int length = whole.length / 3;
    for (int at = length; at < 2 * length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 0x55;
      Files.write(segment, damaged);
      Files.deleteIfExists(Segment.path(folder, 2));
      try (Spool spool = open()) {
        assertThat(drain(spool)).as("byte %d", at).containsExactly(id(0), id(2));
        assertThat(spool.quarantined()).isEqualTo(1);
        assertThat(spool.recovered().complete()).isFalse();
      }
      assertThat(folder.resolve("quarantined-" + segment.getFileName()))
          .as("as it was found")
          .hasBinaryContent(damaged);
      Files.deleteIfExists(Segment.path(folder, 2));
    }
    try (Spool spool = open()) {
      assertThat(spool.quarantined()).as("until somebody deletes it").isEqualTo(1);
    }
  }

  static Stream<Arguments> whereRecordsMayBeMissingTheReplicaGetsAnotherNameForGood() {
    return Arrays.stream(Found.values())
        .flatMap(found -> Stream.of(arguments(found, false), arguments(found, true)));
  }

  /** What a start finds in a folder whose last process closed it. */
  @SuppressWarnings("ImmutableEnumChecker") // its steps have no state
  private enum Found {
    CLEAN(true, folder -> {}),
    TORN(false, folder -> change(folder, bytes -> Arrays.copyOf(bytes, bytes.length - 1))),
    DAMAGED(
        false,
        folder ->
            change(
                folder,
                bytes -> {
                  bytes[50] ^= 1;
                  return bytes;
                })),
    MACHINE_STOPPED(
        false,
        folder -> Files.writeString(folder.resolve(SpoolFolder.RUNNING), "an earlier start")),
    RUNNING_LOST(false, folder -> Files.delete(folder.resolve(SpoolFolder.RUNNING))),
    RUNNING_EMPTY(false, folder -> Files.writeString(folder.resolve(SpoolFolder.RUNNING), "")),
    ID_LOST(false, folder -> Files.delete(folder.resolve("replica-id"))),
    ID_EMPTY(false, folder -> Files.writeString(folder.resolve("replica-id"), "\n"));

    private interface Step {
      void in(Path folder) throws IOException;
    }

    private final boolean complete;
    private final Step step;

    Found(boolean complete, Step step) {
      this.complete = complete;
      this.step = step;
    }

    private static void change(Path folder, UnaryOperator<byte[]> how) throws IOException {
      Path segment = Segment.path(folder, 1);
      Files.write(segment, how.apply(Files.readAllBytes(segment)));
    }
  }

  @ParameterizedTest
  @MethodSource
  void whereRecordsMayBeMissingTheReplicaGetsAnotherNameForGood(Found found, boolean full)
      throws Exception {
    String before;
    try (Spool spool = open()) {
      settle(spool, 0, 3);
      before = spool.replicaId();
    }
    found.step.in(folder);
    if (full) {
      files.fail(Fault.FULL);
    }
    String first;
    try (Spool spool = open()) {
      assertThat(spool.recovered().complete()).isEqualTo(found.complete);
      first = spool.replicaId();
      assertThat(first).isNotBlank();
      assertThat(first.equals(before)).isEqualTo(found.complete);
      assertThat(ids(spool, 10)).startsWith(id(0)).hasSizeBetween(2, 3);
      if (full) {
        assertThatThrownBy(() -> spool.intent(id(9), bytes("nine"))).isInstanceOf(SpoolFull.class);
      }
    }
    assertThat(folder.toFile().list()).noneMatch(it -> it.endsWith(".tmp"));
    files.work();
    try (Spool spool = open()) {
      assertThat(spool.replicaId().equals(before))
          .as("forgotten")
          .isEqualTo(found.complete && !full);
      if (!full) {
        assertThat(spool.recovered().complete()).as("since then").isTrue();
        assertThat(spool.replicaId()).isEqualTo(first);
      }
      assertThat(ids(spool, 10)).startsWith(id(0)).hasSizeBetween(2, 3);
      assertThat(spool.awaitDurable(spool.intent(id(9), bytes("nine")), LONG)).isTrue();
    }
  }

  /** Killed after it saw that records are missing, before anything was repaired. */
  @Test
  void theNewNameComesFirst() throws Exception {
    String before;
    try (Spool spool = open()) {
      settle(spool, 0, 3);
      before = spool.replicaId();
    }
    Found.DAMAGED.step.in(folder);
    Found.MACHINE_STOPPED.step.in(folder);
    byte[] damaged = Files.readAllBytes(Segment.path(folder, 1));
    try (SpoolFolder opened = SpoolFolder.open(folder, Duration.ZERO, files)) {
      assertThat(opened.replicaId()).isNotEqualTo(before);
      assertThat(folder.resolve("replica-id")).hasContent(opened.replicaId());
    }
    assertThat(Segment.path(folder, 1)).hasBinaryContent(damaged);
    assertThat(folder.resolve(SpoolFolder.RUNNING)).hasContent("an earlier start");
  }

  /** Of entries 0 to 400 those that are not in the second block of the file. */
  private static List<UUID> outsideOfTheSecondBlock() {
    List<UUID> ids = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < 400; i++) {
      int end = at + Frame.HEADER + bytes("entry " + i).length;
      if (end <= 4096 || at >= 8192) {
        ids.add(id(i));
      }
      at = end;
    }
    return ids;
  }

  @Test
  void aBadSectorCostsOnlyItsOwnRecords() throws Exception {
    try (Spool spool = open(16 << 20, 1 << 20)) {
      settle(spool, 0, 400);
    }
    files.unreadable(Segment.path(folder, 1), 5000, 5001);
    try (Spool spool = open(16 << 20, 1 << 20)) {
      assertThat(spool.quarantined()).isEqualTo(1);
      assertThat(spool.recovered().complete()).isFalse();
      assertThat(drain(spool)).isEqualTo(outsideOfTheSecondBlock());
    }
  }

  @Test
  void aBadSectorThatCannotBeRepairedForLackOfRoomCostsOnlyItsOwnRecords() throws Exception {
    try (Spool spool = open(16 << 20, 1 << 20)) {
      settle(spool, 0, 400);
    }
    files.unreadable(Segment.path(folder, 1), 5000, 5001);
    files.fail(Fault.FULL);
    try (Spool spool = open(16 << 20, 1 << 20)) {
      assertUnreadableUntilItIsSkipped(spool);
    }
  }

  @Test
  void aBadSectorHoldsUpWhatFollowsOnlyForAWhile() throws Exception {
    try (Spool spool = open(16 << 20, 1 << 20)) {
      settle(spool, 0, 400);
      assertThat(spool.awaitDurable(spool.work().ticket(), LONG)).isTrue();
      files.unreadable(Segment.path(folder, 1), 5000, 5001);
      assertUnreadableUntilItIsSkipped(spool);
    }
  }

  private static void assertUnreadableUntilItIsSkipped(Spool spool) throws Exception {
    for (int i = 1; i < Spool.READS; i++) {
      assertThatThrownBy(() -> spool.next(7, Duration.ZERO)).hasMessage("Input/output error");
    }
    assertThat(drain(spool)).isEqualTo(outsideOfTheSecondBlock());
  }

  @Test
  void aFileThatCannotBeOpenedIsNotTakenForADamagedOne() throws Exception {
    open().close();
    Path segment = Segment.path(folder, 1);
    Files.delete(segment);
    Files.createDirectory(segment);
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be opened")
        .hasMessageContaining(segment.toString());
    assertThat(segment).isDirectory();
    assertThat(folder.toFile().list()).noneMatch(it -> it.startsWith("quarantined"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"CREATE", "WRITE", "FULL"})
  void aCallWhoseIntentIsNotWrittenIsRefused(Fault fault) throws Exception {
    try (Spool spool = open(1 << 20, 1)) { // each record begins a segment
      settle(spool, 0, 1);
      assertThat(spool.awaitDurable(spool.work().ticket(), LONG)).isTrue();
      files.fail(fault);
      assertThatThrownBy(() -> spool.intent(id(1), bytes("one")))
          .isInstanceOf(SpoolFull.class)
          .hasMessageContaining("cannot be written");
      spool.attempt(id(1), bytes("is not open"));
      files.work();
      await().atMost(LONG).until(() -> !spool.failing());
      assertThat(spool.awaitDurable(spool.intent(id(2), bytes("two")), LONG)).isTrue();
      try (Spool next = afterKill(true)) {
        assertThat(next.recovered().unfinished())
            .extracting(Spool.Unfinished::id)
            .containsExactly(id(2));
      }
    }
  }

  @Test
  void aClosedSpoolLeavesTheFolderToItsNextOwner() throws Exception {
    Spool closed = open(1 << 20, 1); // each record begins a segment
    settle(closed, 0, 1);
    closed.intent(id(1), bytes("one"));
    Spool.Batch batch = closed.next(7, Duration.ZERO);
    closed.close();
    try (Spool spool = open(1 << 20, 1)) {
      spool.intent(id(2), bytes("two"));
      assertThat(spool.awaitDurable(spool.work().ticket(), LONG)).isTrue();
      String[] before = folder.toFile().list();
      closed.attempt(id(1), bytes("a"));
      closed.checkpoint(id(1), bytes("c"));
      closed.voided(id(1));
      closed.confirmed(batch, DATABASE);
      assertThatThrownBy(() -> closed.settled(id(1), bytes("entry"))).isInstanceOf(SpoolFull.class);
      assertThat(folder.toFile().list()).containsExactlyInAnyOrder(before);
      try (Spool next = afterKill(false)) {
        assertThat(next.recovered().unfinished())
            .extracting(Spool.Unfinished::id)
            .containsExactlyInAnyOrder(id(1), id(2));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 1 << 20})
  void aCheckpointIsOfTheLastAttempt(long segmentBytes) throws Exception {
    try (Spool spool = open(1 << 20, segmentBytes)) {
      spool.intent(id(1), bytes("one"));
      spool.attempt(id(1), bytes("a"));
      spool.checkpoint(id(1), bytes("10 tokens of a"));
      spool.attempt(id(1), bytes("b"));
      settle(spool, 100, 102);
      try (Spool next = afterKill(false)) {
        Spool.Unfinished call = next.recovered().unfinished().getFirst();
        assertThat(call.attempt()).isEqualTo(bytes("b"));
        assertThat(call.checkpoint()).isNull();
      }
    }
  }

  @Test
  void positionsStayTheSameBehindADamagedRecord() throws Exception {
    try (Spool spool = open()) {
      settle(spool, 0, 10);
      spool.confirmed(spool.next(5, Duration.ZERO), DATABASE);
    }
    Path segment = Segment.path(folder, 1);
    byte[] bytes = Files.readAllBytes(segment);
    bytes[50] ^= 1; // in the second record, which is confirmed
    Files.write(segment, bytes);
    try (Spool spool = open()) {
      assertThat(drain(spool)).isEqualTo(range(5, 10));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"WRITE", "SYNC", "FULL", "ERROR"})
  void whileTheDiskFailsNewCallsAreRefusedAndRunningOnesSettle(Fault fault) throws Exception {
    try (Spool spool = open()) {
      spool.intent(id(1), bytes("one"));
      spool.intent(id(2), bytes("two"));
      files.fail(fault);
      spool.attempt(id(1), bytes("a"));
      await().atMost(LONG).until(spool::failing);
      assertThatThrownBy(() -> spool.intent(id(3), bytes("three")))
          .isInstanceOf(SpoolFull.class)
          .hasMessageContaining("cannot be written");
      spool.settled(id(1), bytes("entry"));
      assertThat(ids(spool, 10)).as("also while the disk fails").containsExactly(id(1));

      files.work();
      await().atMost(LONG).until(() -> !spool.failing());
      assertThat(spool.awaitDurable(spool.intent(id(4), bytes("four")), LONG)).isTrue();
      try (Spool next = afterKill(true)) {
        assertThat(ids(next, 10)).containsExactly(id(1));
        assertThat(next.recovered().unfinished())
            .extracting(Spool.Unfinished::id)
            .containsExactlyInAnyOrder(id(2), id(4));
        assertThat(next.quarantined()).isZero();
      }
    }
  }

  @Test
  void atTheBoundOnlyNewCallsAreRefused() throws Exception {
    try (Spool spool = open(256 << 10, 8 << 10)) {
      int begun = 0;
      try {
        while (true) {
          spool.intent(id(begun), new byte[500]);
          begun++;
        }
      } catch (SpoolFull e) {
        assertThat(e).hasMessageContaining("ledger.spool-max");
      }
      assertThat(begun).isPositive();
      assertThatThrownBy(() -> spool.settled(id(1_000_000), new byte[300 << 10]))
          .as("an entry without an intent")
          .isInstanceOf(SpoolFull.class);
      for (int i = 0; i < begun; i++) {
        spool.attempt(id(i), new byte[200]);
        spool.settled(id(i), new byte[1_000]);
      }
      assertThat(drain(spool)).isEqualTo(range(0, begun));
      spool.intent(id(2_000_000), new byte[500]);
    }
  }

  @Test
  void confirmedSegmentsAreDeletedWhenTheyAreOldOrTheBoundNeedsIt() throws Exception {
    try (Spool spool = open(256 << 10, 8 << 10)) {
      spool.intent(id(-1), bytes("stays open"));
      settle(spool, 0, 500);
      drain(spool);
      long before = spool.bytes();
      spool.rewind();
      assertThat(drain(spool)).isEqualTo(range(0, 500));

      now = now.plus(KEEP).plusSeconds(1);
      settle(spool, 500, 501);
      await().atMost(LONG).until(() -> spool.bytes() < before / 2);
      drain(spool);
      for (int i = 0; i < 4_000; i++) { // more than the bound, within the time
        spool.settled(id(i), bytes("entry " + i));
        if (i % 100 == 0) {
          drain(spool);
        }
      }
      try (Spool next = afterKill(false)) {
        assertThat(next.recovered().unfinished())
            .extracting(Spool.Unfinished::id)
            .containsExactly(id(-1));
      }
    }
  }

  @Test
  void manyRecordsShareAnFsync() throws Exception {
    try (Spool spool = open(64 << 20, 16 << 20)) {
      int before = files.syncs();
      settle(spool, 0, 10_000);
      assertThat(spool.awaitDurable(spool.intent(id(-1), bytes("x")), LONG)).isTrue();
      assertThat(files.syncs() - before).isLessThan(1_000);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 1 << 16})
  void anythingMayBeInAFile(int length) throws Exception {
    try (Spool spool = open()) {
      settle(spool, 0, 1);
    }
    byte[] noise = new byte[length];
    new Random(7).nextBytes(noise);
    Files.write(Segment.path(folder, 1), noise);
    Files.deleteIfExists(Segment.path(folder, 2));
    try (Spool spool = open()) {
      assertThat(drain(spool)).isEmpty();
      settle(spool, 5, 6);
      assertThat(drain(spool)).containsExactly(id(5));
    }
  }
}
