package dev.jarvis.gateway.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.TargetName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A buffer with one writer and its readers. */
@Timeout(60)
class AnswerBufferTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Event.End END = new Event.End(null);
  private static final Head HEAD = new Head("r", new TargetName("p", "m"), List.of(), null);

  /** A third of the bytes that a reader may lag behind. */
  private static final Event BIG = new Event.Text(0, "x".repeat(170_000), null);

  /** More than half of the bytes that a reader may lag behind while the budget is used up. */
  private static final Event MEDIUM = new Event.Text(0, "x".repeat(20_000), null);

  private final AnswerBuffer.Budget budget = new AnswerBuffer.Budget(1L << 30);
  private final Cancellation scope = new Cancellation();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private AnswerBuffer buffer = buffer(NEVER, true);

  @AfterEach
  void close() {
    scope.cancel();
    threads.shutdownNow();
  }

  private AnswerBuffer buffer(Duration patience, boolean keep) {
    return new AnswerBuffer(budget, patience, scope, keep);
  }

  private AnswerBuffer.Reader joined() {
    return Objects.requireNonNull(buffer.join());
  }

  private static Event text(int number) {
    return new Event.Text(0, Integer.toString(number), null);
  }

  private static List<Event> read(Answer reader) {
    List<Event> events = new ArrayList<>();
    do {
      events.add(reader.next());
    } while (!(events.getLast() instanceof Event.End));
    return events;
  }

  private static List<Event> texts(int count) {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(text(i));
    }
    return events;
  }

  /** Writes on another thread; the result is the failure, if there is one. */
  private CompletableFuture<Void> write(Event event, int times) {
    CompletableFuture<Void> written = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("writer")
        .start(
            () -> {
              try {
                for (int i = 0; i < times; i++) {
                  buffer.put(event);
                }
                buffer.end(END, null);
                written.complete(null);
              } catch (CancelledException e) {
                written.completeExceptionally(e);
              }
            });
    return written;
  }

  @Test
  void passesEventsOnInOrder() throws Exception {
    AnswerBuffer.Reader reader = buffer.reader();
    Future<List<Event>> read = threads.submit(() -> read(reader));
    texts(1000).forEach(buffer::put);
    buffer.end(END, null);

    assertThat(read.get())
        .startsWith(texts(1000).toArray(Event[]::new))
        .endsWith(END)
        .hasSize(1001);
  }

  @Test
  void waitsForTheHead() throws Exception {
    AnswerBuffer.Reader reader = buffer.reader();
    Future<Head> head = threads.submit(reader::head);

    buffer.head(HEAD);

    assertThat(head.get()).isEqualTo(HEAD);
  }

  @Test
  void givesFastAndSlowReadersTheSameEvents() throws Exception {
    AnswerBuffer.Reader slow = buffer.reader();
    AnswerBuffer.Reader quick = joined();
    texts(10).forEach(buffer::put);
    for (int i = 0; i < 10; i++) {
      assertThat(quick.next()).isEqualTo(text(i));
    }
    assertThat(slow.next()).isEqualTo(text(0));
    buffer.end(END, null);

    assertThat(quick.next()).isEqualTo(END);
    assertThat(read(slow)).hasSize(10);
  }

  @Test
  void limitsTheWaitForAnEvent() {
    AnswerBuffer.Reader reader = buffer.reader();
    assertThat(reader.await(Duration.ZERO)).isFalse();
    assertThat(reader.await(Duration.ofMillis(1))).isFalse();

    buffer.put(text(0));

    assertThat(reader.await(Duration.ZERO)).isTrue();
    assertThat(reader.next()).isEqualTo(text(0));
    assertThat(reader.await(Duration.ZERO)).isFalse();
  }

  @Test
  void makesTheWriterWaitForASlowReader() {
    buffer = buffer(NEVER, false);
    AnswerBuffer.Reader reader = buffer.reader();
    CompletableFuture<Void> written = write(BIG, 4);
    assertThat(reader.await(LIMIT)).isTrue();
    assertThat(written).as("the fourth event, which does not fit").isNotDone();

    assertThat(read(reader)).hasSize(5);
    assertThat(written).succeedsWithin(LIMIT);
  }

  @Test
  void passesOnAnEventLargerThanTheBuffer() {
    AnswerBuffer.Reader reader = buffer.reader();
    Event huge = new Event.Text(0, "x".repeat(2 << 20), null);
    CompletableFuture<Void> written = write(huge, 2);

    assertThat(read(reader)).containsExactly(huge, huge, END);
    assertThat(written).succeedsWithin(LIMIT);
  }

  @Test
  void dropsAReaderThatIsTooSlowAndKeepsTheOther() throws Exception {
    buffer = buffer(Duration.ofMillis(50), true);
    AnswerBuffer.Reader slow = buffer.reader();
    AnswerBuffer.Reader quick = joined();
    Future<List<Event>> read = threads.submit(() -> read(quick));

    assertThat(write(BIG, 10)).succeedsWithin(LIMIT);

    assertThat(read.get()).hasSize(11);
    assertThatThrownBy(slow::next).isInstanceOf(CancelledException.class);
    assertThat(scope.cancelled()).isFalse();
  }

  @Test
  void cancelsTheWriterIfItsOnlyReaderIsTooSlow() {
    buffer = buffer(Duration.ofMillis(50), true);
    AnswerBuffer.Reader slow = buffer.reader();

    assertThat(write(BIG, 10)).failsWithin(LIMIT);
    assertThat(scope.cancelled()).isTrue();
    assertThatThrownBy(slow::next).isInstanceOf(CancelledException.class);
  }

  @Test
  void limitsThePatienceForAReaderInTotal() {
    buffer = buffer(Duration.ofMillis(200), false);
    AnswerBuffer.Reader slow = buffer.reader();
    CompletableFuture<Void> written = write(BIG, Integer.MAX_VALUE);

    // makes room whenever the writer has waited for some time
    assertThatThrownBy(
            () -> {
              while (true) {
                await()
                    .pollInterval(Duration.ofMillis(2))
                    .atMost(LIMIT)
                    .until(() -> waits("writer") || written.isDone());
                slow.next();
              }
            })
        .isInstanceOf(CancelledException.class);
    assertThat(written).failsWithin(LIMIT);
  }

  private static boolean waits(String thread) {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(it -> it.getName().equals(thread) && it.getState() == Thread.State.TIMED_WAITING);
  }

  @Test
  void cancelsTheScopeWhenTheLastReaderLeaves() {
    AnswerBuffer.Reader one = buffer.reader();
    AnswerBuffer.Reader other = joined();
    buffer.put(text(0));

    one.close();
    one.close();
    assertThat(scope.cancelled()).isFalse();
    assertThatCode(() -> buffer.put(text(1))).doesNotThrowAnyException();

    other.close();
    assertThat(scope.cancelled()).isTrue();
    assertThatThrownBy(() -> buffer.put(text(2))).isInstanceOf(CancelledException.class);
    assertThat(buffer.join()).isNull();
  }

  @Test
  void doesNotCancelTheScopeAfterTheEnd() {
    AnswerBuffer.Reader reader = buffer.reader();
    buffer.end(END, null);
    reader.close();

    assertThat(scope.cancelled()).isFalse();
  }

  @Test
  void endsTheWaitOfTheWriterWhenItsLastReaderLeaves() {
    AnswerBuffer.Reader reader = buffer.reader();
    CompletableFuture<Void> written = write(BIG, 10);
    await().atMost(LIMIT).until(() -> waits("writer"));

    reader.close();

    assertThat(written).failsWithin(LIMIT);
  }

  @Test
  void endsTheWaitOfACancelledReader() {
    Cancellation client = new Cancellation();
    AnswerBuffer.Reader reader = client.call(buffer::reader);
    Future<Event> next = threads.submit(reader::next);
    Future<Head> head = threads.submit(reader::head);

    client.cancel();

    assertThat(next).failsWithin(LIMIT);
    assertThat(head).failsWithin(LIMIT);
    assertThatThrownBy(() -> reader.await(LIMIT)).isInstanceOf(CancelledException.class);
  }

  @Test
  void reportsAFailureAfterTheEventsBeforeIt() {
    AnswerBuffer.Reader reader = buffer.reader();
    IllegalStateException failure = new IllegalStateException("broke");
    buffer.head(HEAD);
    buffer.put(text(0));
    buffer.end(END, failure);

    assertThat(reader.head()).isEqualTo(HEAD);
    assertThat(reader.await(Duration.ZERO)).isTrue();
    assertThat(reader.next()).isEqualTo(text(0));
    assertThatThrownBy(reader::next).isSameAs(failure);
    assertThatThrownBy(() -> reader.await(LIMIT)).isSameAs(failure);
  }

  @Test
  void reportsAFailureToAReaderThatWaitsForTheHead() {
    AnswerBuffer.Reader reader = buffer.reader();
    Future<Head> head = threads.submit(reader::head);
    OutOfMemoryError failure = new OutOfMemoryError("an error, too");

    buffer.end(END, failure);

    assertThat(head).failsWithin(LIMIT).withThrowableOfType(Exception.class).withCause(failure);
  }

  @Test
  void letsAReaderThatJoinsReadFromTheBeginning() {
    AnswerBuffer.Reader reader = buffer.reader();
    buffer.put(text(0));
    assertThat(reader.next()).isEqualTo(text(0));
    buffer.put(text(1));

    AnswerBuffer.Reader late = joined();
    assertThat(buffer.kept()).containsExactly(text(0), text(1));
    buffer.end(END, null);

    assertThat(read(late)).containsExactly(text(0), text(1), END);
    assertThat(buffer.kept()).as("after the end").isNull();
    assertThat(buffer.join()).as("after the end").isNull();
  }

  @Test
  void letsNoReaderJoinIfTheBeginningIsNotKept() {
    buffer = buffer(NEVER, false);
    AnswerBuffer.Reader reader = buffer.reader();
    buffer.put(text(0));

    assertThat(buffer.join()).isNull();
    assertThat(buffer.kept()).isNull();
    assertThat(reader.next()).isEqualTo(text(0));
  }

  @Test
  void doesNotKeepALargeAnswer() {
    AnswerBuffer.Reader reader = buffer.reader();
    CompletableFuture<Void> written = write(BIG, 4);
    for (int i = 0; i < 4; i++) {
      assertThat(reader.next()).isEqualTo(BIG);
    }
    assertThat(written).succeedsWithin(LIMIT);

    assertThat(buffer.kept()).isNull();
    assertThat(buffer.join()).isNull();
    assertThat(reader.next()).isEqualTo(END);
  }

  @Test
  void passesAnAnswerOnWithoutAnyBudget() {
    AnswerBuffer.Budget none = new AnswerBuffer.Budget(0);
    buffer = new AnswerBuffer(none, NEVER, scope, false);
    AnswerBuffer.Reader reader = buffer.reader();
    CompletableFuture<Void> written = write(BIG, 3);

    assertThat(read(reader)).containsExactly(BIG, BIG, BIG, END);
    assertThat(written).succeedsWithin(LIMIT);
  }

  @Test
  void returnsTheBudgetOfAnAnswerThatHasEnded() throws Exception {
    AnswerBuffer.Budget little = new AnswerBuffer.Budget(200_000);
    IllegalStateException failure = new IllegalStateException("broke");
    for (Throwable cause : new Throwable[] {null, failure, new CancelledException()}) {
      for (boolean keep : new boolean[] {true, false}) {
        AnswerBuffer over = new AnswerBuffer(little, NEVER, new Cancellation(), keep);
        AnswerBuffer.Reader gone = over.reader();
        over.put(BIG);
        gone.close();
        over.end(END, cause);
      }
    }

    buffer = new AnswerBuffer(little, NEVER, scope, false);
    AnswerBuffer.Reader reader = buffer.reader();
    Future<?> written =
        threads.submit(
            () -> {
              buffer.put(MEDIUM);
              buffer.put(MEDIUM); // would wait without room
            });
    assertThat(written).succeedsWithin(LIMIT);
    assertThat(reader.next()).isEqualTo(MEDIUM);
  }

  /** A budget that is used up by a finished answer that its reader has not read. */
  private static AnswerBuffer.Budget full() {
    AnswerBuffer.Budget budget = new AnswerBuffer.Budget(1000);
    AnswerBuffer hog = new AnswerBuffer(budget, NEVER, new Cancellation(), false);
    AnswerBuffer.Reader ignored = hog.reader();
    hog.put(BIG);
    hog.end(END, null);
    return budget;
  }

  @Test
  void doesNotDropAReaderThatKeepsUpWhileTheBudgetIsUsedUp() {
    buffer = new AnswerBuffer(full(), Duration.ZERO, scope, true);
    AnswerBuffer.Reader reader = buffer.reader();
    for (int i = 0; i < 10; i++) {
      buffer.put(MEDIUM);
      buffer.put(text(i));
      assertThat(reader.next()).isEqualTo(MEDIUM);
      assertThat(reader.next()).isEqualTo(text(i));
    }
    buffer.end(END, null);

    assertThat(reader.next()).isEqualTo(END);
  }

  @Test
  void dropsAReaderThatLagsSoonerWhileTheBudgetIsUsedUp() {
    buffer = new AnswerBuffer(full(), Duration.ZERO, scope, true);
    AnswerBuffer.Reader reader = buffer.reader();
    buffer.put(MEDIUM);

    assertThatThrownBy(() -> buffer.put(MEDIUM)).isInstanceOf(CancelledException.class);
    assertThatThrownBy(reader::next).isInstanceOf(CancelledException.class);
  }

  @Test
  void keepsLessWhileTheBudgetIsUsedUp() {
    buffer = new AnswerBuffer(full(), NEVER, scope, true);
    AnswerBuffer.Reader reader = buffer.reader();
    for (int i = 0; i < 2; i++) {
      assertThat(buffer.kept()).hasSize(i);
      buffer.put(MEDIUM);
      assertThat(reader.next()).isEqualTo(MEDIUM);
    }

    assertThat(buffer.kept()).isNull();
  }

  @Test
  void dropsStalledReadersAtTheSameTime() {
    buffer = buffer(Duration.ofMillis(500), true);
    AnswerBuffer.Reader quick = buffer.reader();
    int stalled = 20;
    for (int i = 0; i < stalled; i++) {
      assertThat(joined()).isNotNull();
    }
    Future<List<Event>> read = threads.submit(() -> read(quick));
    Set<Integer> seen = new TreeSet<>();

    CompletableFuture<Void> written = write(BIG, 10);
    while (!written.isDone()) {
      seen.add(buffer.readers());
      Thread.onSpinWait();
    }

    assertThat(read).succeedsWithin(LIMIT);
    assertThat(seen).isSubsetOf(1, 1 + stalled);
    assertThat(buffer.readers()).isEqualTo(1);
  }

  @Test
  void letsAReaderThatLagsReadToTheEndInItsOwnTime() {
    buffer = buffer(Duration.ZERO, false);
    AnswerBuffer.Reader slow = buffer.reader();
    buffer.put(BIG);
    buffer.put(BIG);
    buffer.end(END, null);

    assertThat(read(slow)).containsExactly(BIG, BIG, END);
  }
}
