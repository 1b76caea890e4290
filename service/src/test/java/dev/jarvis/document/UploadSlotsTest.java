package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.limit.Admission;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which uploads are ended in favour of users who wait without one. Time is the test's. */
@Timeout(60)
class UploadSlotsTest {
  private static final int RATE = 1_000;
  private static final int GRACE = 5;
  private static final DocumentConfig.Queues LIMITS =
      Configs.of(
          DocumentConfig.Queues.class,
          Map.of(
              "max-uploads",
              "4",
              "min-upload-rate",
              Integer.toString(RATE),
              "upload-grace",
              GRACE + "s",
              "queue-timeout",
              "50s"));

  private final AtomicLong now = new AtomicLong();
  private final AtomicInteger waiting = new AtomicInteger();
  private final UploadSlots slots =
      new UploadSlots(
          new Admission("uploads", LIMITS.uploads(), waiting::addAndGet), LIMITS, now::get);
  private final List<String> ended = new ArrayList<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  @AfterEach
  void close() {
    threads.close();
    slots.close();
  }

  /** An upload in progress. */
  private final class Client {
    private final UploadSlots.Slot slot;
    private final InputStream in;
    private int bytes;
    private int seconds;

    Client(String user, String name) {
      slot = slots.acquire(user);
      in =
          slot.measured(
              new InputStream() {
                @Override
                public int read() {
                  throw new UnsupportedOperationException();
                }

                @Override
                public int read(byte[] to, int offset, int length) {
                  now.addAndGet(Duration.ofSeconds(seconds).toNanos());
                  return bytes;
                }
              },
              () -> ended.add(name));
    }

    /** Takes so many seconds to send so many bytes. */
    Client sends(int count, int after) throws IOException {
      bytes = count;
      seconds = after;
      assertThat(in.read(new byte[count])).isEqualTo(count);
      return this;
    }
  }

  private Client drip(String user, String name, int seconds) throws IOException {
    return new Client(user, name).sends(10, seconds);
  }

  private Future<?> waits(String user) {
    int before = waiting.get();
    Future<?> upload = threads.submit(() -> slots.acquire(user).close());
    await().pollInterval(Duration.ofMillis(1)).until(() -> waiting.get() == before + 1);
    return upload;
  }

  @Test
  void theSlowestUploadOfTheUserWithTheMostIsEnded() throws Exception {
    Client one = drip("eve", "eve1", 6);
    Client two = drip("eve", "eve2", 7);
    Client other = drip("mallory", "mallory", 60);
    Client fast = new Client("ann", "ann").sends(100_000, 60);
    slots.review();
    assertThat(ended).as("nobody waits").isEmpty();

    Future<?> bob = waits("bob");
    slots.review();
    slots.review();
    assertThat(ended).containsExactly("eve2");
    assertThat(two.slot.ended()).isTrue();
    assertThat(two.slot.error()).hasMessageContaining("1000 bytes per second");
    two.slot.close();
    bob.get();
    Client last = new Client("dora", "dora").sends(100_000, 1);
    Future<?> carol = waits("carol");
    slots.review();
    assertThat(ended).as("all have one now, so the slowest").containsExactly("eve2", "mallory");
    other.slot.close();
    carol.get();
    List.of(one, fast, last).forEach(it -> it.slot.close());
  }

  @Test
  void oneUploadIsEndedForEachUserWithoutOne() throws Exception {
    List<Client> drips = new ArrayList<>();
    for (String user : List.of("eve", "mallory")) {
      for (int i = 1; i <= 2; i++) {
        drips.add(drip(user, user + i, GRACE + i));
      }
    }
    List<Future<?>> waiters = List.of(waits("bob"), waits("carol"), waits("bob"));
    slots.review();
    assertThat(ended).containsExactlyInAnyOrder("eve2", "mallory2");

    drips.stream().filter(it -> it.slot.ended()).forEach(it -> it.slot.close());
    waiters.getFirst().get();
    waiters.get(1).get();
    drips.forEach(it -> it.slot.close());
    waiters.getLast().get();
  }

  @Test
  void aUserWhoHasAnUploadEndsNoOthers() throws Exception {
    List<Client> clients = new ArrayList<>();
    for (String user : List.of("eve", "eve", "mallory", "mallory")) {
      clients.add(drip(user, user, 30));
    }
    Future<?> third = waits("eve");
    slots.review();

    assertThat(ended).isEmpty();
    clients.forEach(it -> it.slot.close());
    third.get();
  }

  /** Sends so many bytes in so many seconds, then so many more, while a user waits. */
  @ParameterizedTest
  @CsvSource({
    "10, 4, 10, 0, false", // within the grace
    "10, 6, 10, 0, true",
    "20000, 20, 20000, 20, false", // as fast as the minimum
    "1000, 20, 0, 0, true",
    "1000000, 1, 10, 4, false", // a burst fills the reserve
    "1000000, 1, 10, 6, true", // but no more than that
    "10, 600, 6000, 1, false", // forgiven when it speeds up
  })
  void onlyAnUploadBelowTheMinimumRateIsEnded(
      int bytes, int seconds, int moreBytes, int moreSeconds, boolean slow) throws Exception {
    List<Client> others = new ArrayList<>();
    for (String user : List.of("ann", "bea", "cleo")) {
      others.add(new Client(user, user));
    }
    Client client = new Client("phone", "phone").sends(bytes, seconds);
    client.sends(moreBytes, moreSeconds);
    Future<?> bob = waits("bob");
    slots.review();

    assertThat(ended).isEqualTo(slow ? List.of("phone") : List.of());
    client.slot.close();
    bob.get();
    others.forEach(it -> it.slot.close());
  }

  /** Also where a byte takes less than a nanosecond. */
  @ParameterizedTest
  @ValueSource(ints = {1, 999, 1_000, 16_384, 600_000_000, 1 << 30})
  void anUploadAsFastAsTheMinimumIsNeverTooSlow(int rate) throws Exception {
    long second = Duration.ofSeconds(1).toNanos();
    UploadPace pace = new UploadPace(GRACE * second, rate, now::get);
    InputStream in = pace.measured(new Seconds(rate));
    for (int i = 0; i < 2 * GRACE; i++) {
      assertThat(in.read(new byte[0])).isEqualTo(rate);
    }
    assertThat(pace.left()).isEqualTo(GRACE * second);
  }

  /** Each read takes a second. */
  private final class Seconds extends InputStream {
    private final int bytes;

    Seconds(int bytes) {
      this.bytes = bytes;
    }

    @Override
    public int read() {
      return read(new byte[1], 0, 1);
    }

    @Override
    public int read(byte[] to, int offset, int length) {
      now.addAndGet(Duration.ofSeconds(1).toNanos());
      return bytes;
    }
  }

  /** All ways to read wait for the client. */
  @ParameterizedTest
  @EnumSource
  void everyWayToReadIsMeasured(Way way) throws Exception {
    UploadPace pace = new UploadPace(GRACE * 1_000_000_000L, RATE, now::get);
    way.read(pace.measured(new Seconds(-1)));

    assertThat(pace.left()).isLessThan(GRACE * 1_000_000_000L);
  }

  private enum Way {
    ONE,
    SOME,
    N,
    ALL,
    SKIP,
    TRANSFER;

    Object read(InputStream in) throws IOException {
      return switch (this) {
        case ONE -> in.read();
        case SOME -> in.read(new byte[2]);
        case N -> in.readNBytes(2);
        case ALL -> in.readAllBytes();
        case SKIP -> in.skip(2);
        case TRANSFER -> in.transferTo(OutputStream.nullOutputStream());
      };
    }
  }
}
