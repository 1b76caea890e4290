package dev.jarvis.document;

import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.error.ApiException;
import dev.jarvis.limit.Admission;
import java.io.InputStream;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Limits the number of uploads at once. While users without an upload wait for one, uploads that
 * are slower than the minimum rate are ended in their favour, beginning with the slowest of the
 * user who has the most. Without such a user nobody is too slow. Thread-safe.
 */
final class UploadSlots implements AutoCloseable {
  private static final Duration REVIEW_PERIOD = Duration.ofSeconds(1);

  private final Admission admission;
  private final DocumentConfig.Queues limits;
  private final LongSupplier nanoTime;
  private final Set<Slot> slots = new LinkedHashSet<>(); // guarded by this
  private final ScheduledThreadPoolExecutor reviews =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().daemon().name("documents-uploads").factory());

  UploadSlots(Admission admission, DocumentConfig.Queues limits, LongSupplier nanoTime) {
    this.admission = admission;
    this.limits = limits;
    this.nanoTime = nanoTime;
  }

  /** Begins to review the uploads regularly. */
  void start() {
    long period = REVIEW_PERIOD.toMillis();
    var _ = reviews.scheduleWithFixedDelay(this::review, period, period, TimeUnit.MILLISECONDS);
  }

  /** The permission for one upload. */
  final class Slot implements AutoCloseable {
    private final String user;
    private final Admission.Permit permit;
    private final UploadPace pace;
    private Runnable end = () -> {}; // guarded by the slots, as ended
    private boolean ended;

    private Slot(String user, Admission.Permit permit) {
      this.user = user;
      this.permit = permit;
      this.pace = new UploadPace(limits.uploadGrace().toNanos(), limits.minUploadRate(), nanoTime);
    }

    /**
     * Measures an upload.
     *
     * @param whatEndsIt called if the upload is ended; must not block
     */
    InputStream measured(InputStream body, Runnable whatEndsIt) {
      synchronized (UploadSlots.this) {
        end = whatEndsIt;
      }
      return pace.measured(body);
    }

    /** Whether the upload was ended in favour of another user. */
    boolean ended() {
      synchronized (UploadSlots.this) {
        return ended;
      }
    }

    /** The error of an upload that was ended. */
    ApiException error() {
      return new ApiException.BodyTooSlow(
          "The upload was ended because it was slower than %d bytes per second (documents.min-upload-rate) while other users waited to upload. Try again later."
              .formatted(limits.minUploadRate()));
    }

    @Override
    public void close() {
      synchronized (UploadSlots.this) {
        slots.remove(this);
      }
      permit.close();
    }
  }

  /**
   * Waits for a slot.
   *
   * @throws ApiException.Overloaded if none becomes free in time
   * @throws CancelledException on cancellation
   */
  Slot acquire(String user) {
    Slot slot = new Slot(user, admission.acquire(user));
    synchronized (this) {
      slots.add(slot);
    }
    return slot;
  }

  /** Ends as many uploads that are too slow as users without an upload wait. */
  synchronized void review() {
    long ending = slots.stream().filter(it -> it.ended).count();
    for (long missing = admission.usersWithoutPermit() - ending; missing > 0; missing--) {
      if (!endOne()) {
        return;
      }
    }
  }

  private boolean endOne() {
    List<Slot> running = slots.stream().filter(it -> !it.ended).toList();
    Map<String, Long> held =
        running.stream()
            .map(it -> it.user)
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    Comparator<Slot> mostThenSlowest =
        Comparator.<Slot>comparingLong(it -> -held.getOrDefault(it.user, 0L))
            .thenComparingLong(it -> it.pace.left());
    return running.stream()
        .filter(it -> it.pace.left() < 0)
        .min(mostThenSlowest)
        .map(
            it -> {
              it.ended = true;
              it.end.run();
              return true;
            })
        .orElse(false);
  }

  @Override
  public void close() {
    reviews.shutdownNow();
  }
}
