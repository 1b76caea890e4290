package dev.jarvis.ledger.spool;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The journal of this replica's calls. A record is written before the method returns, so a killed
 * process loses none; it is on the disk within {@link SpoolSync#GROUP} and an fsync. Entries are
 * read in the order in which calls ended. Only the beginning of a call is refused, when the bound
 * is reached or the disk does not take what was written; all that follows has its room.
 * Thread-safe, but entries have one reader.
 */
public final class Spool implements AutoCloseable {
  /** For the attempts, checkpoints and the entry of a call. */
  private static final long RESERVED = 8 << 10;

  /** In memory, while the disk takes nothing. */
  private static final long MAX_UNSYNCED = 16 << 20;

  private static final int READ = 256 << 10;

  /** What the disk does not return is read so often, and then skipped. */
  static final int READS = 10;

  private static final String UNWRITABLE = "The ledger's files cannot be written.";
  private static final Logger LOG = LoggerFactory.getLogger(Spool.class);
  private static final Duration LOCK_LIMIT = Duration.ofSeconds(10);

  private final SpoolFolder folder;
  private final SpoolFiles files;
  private final Limits limits;
  private final InstantSource clock;
  private final Recovered recovered;
  private final SpoolSync sync;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition appended = lock.newCondition();
  private final Deque<Segment> segments;
  private final Map<UUID, OpenCall> open = new HashMap<>();
  private long bytes;
  private long carried;
  private long reserved;
  private long unconfirmed;
  private long records;
  private Position position;
  private byte[] identity;
  private long waitingSince;
  private int failedReads;
  private boolean closed;

  /**
   * How much is kept.
   *
   * @param maxBytes of all segments together, and what open calls have reserved
   * @param segmentBytes after which a new file begins
   * @param keep how long entries are kept after they have been confirmed, if the bound allows
   */
  public record Limits(long maxBytes, long segmentBytes, Duration keep) {
    private static final int SEGMENTS = 32;
    private static final long MAX_SEGMENT = 8 << 20;

    public static Limits of(long maxBytes, Duration keep) {
      return new Limits(maxBytes, Math.min(MAX_SEGMENT, maxBytes / SEGMENTS), keep);
    }
  }

  /** A call that the previous process began and did not end. Null as in {@link OpenCall}. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Unfinished(
      UUID id, byte[] intent, byte @Nullable [] attempt, byte @Nullable [] checkpoint) {}

  /**
   * What was found at the start.
   *
   * @param unfinished the calls without an end
   * @param known the latest calls of which there is a record
   * @param complete false if records may be missing: the folder is new, a file was damaged, or the
   *     machine stopped before all was on its disk
   */
  public record Recovered(List<Unfinished> unfinished, Set<UUID> known, boolean complete) {}

  /** The entry of a call that has ended, and when, in milliseconds. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Settled(UUID id, long time, byte[] entry) {}

  /**
   * Entries in their order; empty if none came in time.
   *
   * @param upTo behind the last one
   */
  public record Batch(List<Settled> entries, Position upTo) {}

  /**
   * Opens the folder, and repairs what is damaged in it.
   *
   * @throws IOException if another process has it, or it cannot be read or written
   */
  public static Spool open(Path path, Limits limits, InstantSource clock) throws IOException {
    return open(path, limits, clock, new SpoolFiles.OnDisk());
  }

  static Spool open(Path path, Limits limits, InstantSource clock, SpoolFiles files)
      throws IOException {
    SpoolFolder folder = SpoolFolder.open(path, LOCK_LIMIT, files);
    try {
      Contents contents = Contents.read(folder, files);
      folder.begin();
      Spool spool = new Spool(folder, contents, limits, clock, files);
      spool.sync.start();
      return spool;
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  private Spool(
      SpoolFolder folder, Contents contents, Limits limits, InstantSource clock, SpoolFiles files) {
    this.folder = folder;
    this.files = files;
    this.limits = limits;
    this.clock = clock;
    this.segments = new ArrayDeque<>(contents.segments());
    this.bytes = segments.stream().mapToLong(Segment::length).sum();
    this.position = contents.confirmed();
    this.identity = contents.identity();
    this.unconfirmed = contents.unconfirmed();
    this.open.putAll(contents.open());
    this.recovered =
        new Recovered(
            contents.open().values().stream().map(Spool::unfinished).toList(),
            contents.known(),
            folder.complete());
    this.sync = new SpoolSync(this, lock);
    lock.lock();
    try {
      rotate();
    } finally {
      lock.unlock();
    }
  }

  private static Unfinished unfinished(OpenCall call) {
    return new Unfinished(
        call.id(),
        call.intent().payload(),
        call.attempt() == null ? null : call.attempt().payload(),
        call.checkpoint() == null ? null : call.checkpoint().payload());
  }

  /** What was found at the start. */
  public Recovered recovered() {
    return recovered;
  }

  /** A name of the owner that stays as long as no record of its calls may be missing. */
  public String replicaId() {
    return folder.replicaId();
  }

  public Path folder() {
    return folder.path();
  }

  /**
   * Writes down that a model will be asked, and reserves room for the end of the call.
   *
   * @return a ticket for {@link #awaitDurable}
   * @throws SpoolFull if there is no room, or the disk takes nothing
   */
  public long intent(UUID id, byte[] payload) {
    Frame frame = frame(Frame.Type.INTENT, id, payload);
    lock.lock();
    try {
      long reserve = RESERVED + 2L * frame.length();
      requireRoom(frame.length() + reserve);
      open.put(id, new OpenCall(frame, null, null, reserve));
      reserved += reserve;
      long ticket = append(frame);
      if (segments.getLast().broken()) { // known before a model is asked
        voided(id);
        throw new SpoolFull(UNWRITABLE);
      }
      return ticket;
    } finally {
      lock.unlock();
    }
  }

  private void requireRoom(long bytes) {
    requireOpen();
    if (failing()) {
      throw new SpoolFull(UNWRITABLE);
    }
    while (used() + bytes > limits.maxBytes() && deletable()) {
      deleteOldest();
    }
    if (used() + bytes > limits.maxBytes()) {
      throw new SpoolFull(
          "The ledger holds as many entries that wait for the database as ledger.spool-max allows.");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new SpoolFull("The ledger is closing.");
    }
  }

  private long used() {
    return bytes + reserved;
  }

  /** Writes down that a target is being asked; does nothing for a call that is not open. */
  public void attempt(UUID id, byte[] payload) {
    progress(frame(Frame.Type.ATTEMPT, id, payload), true);
  }

  /** Writes down what a stream has used so far, if there is room. */
  public void checkpoint(UUID id, byte[] payload) {
    progress(frame(Frame.Type.CHECKPOINT, id, payload), false);
  }

  private void progress(Frame frame, boolean always) {
    lock.lock();
    try {
      OpenCall call = open.get(frame.id());
      if (closed
          || call == null
          || !(always
              || call.reserved() > RESERVED / 2 + frame.length()
              || used() + frame.length() < limits.maxBytes())) {
        return;
      }
      OpenCall later = call.with(frame);
      open.put(frame.id(), later);
      reserved -= call.reserved() - later.reserved();
      append(frame);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Writes the entry of a call that has ended: always, if the call was open.
   *
   * @throws SpoolFull if the call was not open and there is no room, or the spool is closed: then
   *     the folder is another process's
   */
  public void settled(UUID id, byte[] entry) {
    Frame frame = frame(Frame.Type.SETTLED, id, entry);
    lock.lock();
    try {
      requireOpen();
      if (!end(id)) {
        requireRoom(frame.length());
      }
      unconfirmed++;
      append(frame);
    } finally {
      lock.unlock();
    }
  }

  /** Writes down that a call has ended without a model; does nothing if it is not open. */
  public void voided(UUID id) {
    lock.lock();
    try {
      if (!closed && end(id)) {
        append(frame(Frame.Type.VOID, id, new byte[0]));
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean end(UUID id) {
    OpenCall call = open.remove(id);
    if (call == null) {
      return false;
    }
    reserved -= call.reserved();
    return true;
  }

  private Frame frame(Frame.Type type, UUID id, byte[] payload) {
    return new Frame(type, clock.millis(), id, payload);
  }

  private long append(Frame frame) {
    if (!segments.getLast().broken()
        && segments.getLast().length() - carried >= limits.segmentBytes()) {
      rotate();
    }
    segments.getLast().append(frame);
    bytes += frame.length();
    records++;
    sync.wake();
    appended.signalAll();
    return records;
  }

  /** Begins a segment. It holds all open calls, so that none needs an earlier one. */
  private void rotate() {
    long number = segments.isEmpty() ? 1 : segments.getLast().number() + 1;
    Segment next = Segment.create(files, folder.path(), number);
    open.values().forEach(call -> call.frames().forEach(next::append));
    carried = next.length();
    bytes += carried;
    segments.add(next);
    records++;
    sync.wake();
  }

  /**
   * Waits until a record is on the disk.
   *
   * @param ticket of {@link #intent}
   * @return false if it is not in time
   */
  public boolean awaitDurable(long ticket, Duration limit) throws InterruptedException {
    return sync.await(ticket, limit);
  }

  /**
   * Returns the entries behind the last confirmed one, and waits if there are none.
   *
   * @throws IOException if a file cannot be read
   */
  public Batch next(int most, Duration limit) throws IOException, InterruptedException {
    long left = limit.toNanos();
    while (true) {
      Segment segment;
      long offset;
      lock.lockInterruptibly();
      try {
        segment = here();
        offset = position.offset();
        if (offset >= segment.length()) {
          if (segment != segments.getLast()) {
            position = new Position(segment.number() + 1, 0);
            continue;
          }
          if (left <= 0 || closed) {
            return new Batch(List.of(), position);
          }
          left = appended.awaitNanos(left);
          continue;
        }
      } finally {
        lock.unlock();
      }
      Batch batch = read(segment, offset, most);
      lock.lock();
      try {
        if (batch.entries().isEmpty()) {
          position = batch.upTo();
        } else {
          waitingSince = batch.entries().getFirst().time();
          return batch;
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /** The segment of the position, or the next one that there is. */
  private Segment here() {
    for (Segment segment : segments) {
      if (segment.number() >= position.segment()) {
        if (segment.number() > position.segment()) {
          position = new Position(segment.number(), 0);
        }
        return segment;
      }
    }
    throw new IllegalStateException("the spool's position is behind its end");
  }

  /** The disk may recover, but a bad sector must not hold up all that follows. */
  private byte[] bytes(Segment segment, long offset) throws IOException {
    try {
      byte[] bytes = segment.read(offset, READ, false);
      failedReads = 0;
      return bytes;
    } catch (IOException e) {
      failedReads++;
      if (failedReads < READS) {
        throw e;
      }
      LOG.atError()
          .addKeyValue("segment", segment.number())
          .setCause(e)
          .log("a file of the spool stays unreadable: the entries there are skipped");
      return segment.read(offset, READ, true);
    }
  }

  private Batch read(Segment segment, long offset, int most) throws IOException {
    byte[] bytes = bytes(segment, offset);
    Scan scan = Scan.of(bytes);
    List<Settled> entries = new ArrayList<>();
    int end = 0;
    for (Scan.Found found : scan.records()) {
      if (entries.size() == most) {
        break;
      }
      Frame frame = found.frame();
      if (frame.type() == Frame.Type.SETTLED) {
        entries.add(new Settled(frame.id(), frame.time(), frame.payload()));
      }
      end = found.end();
    }
    if (end == 0) { // damaged since it was written: what follows it is read
      end = bytes.length > Frame.MAX_LENGTH ? bytes.length - Frame.MAX_LENGTH : bytes.length;
    }
    return new Batch(entries, new Position(segment.number(), offset + end));
  }

  /**
   * Notes that the entries of a batch are in the database, or need not be.
   *
   * @param of identifies the database
   */
  public void confirmed(Batch batch, byte[] of) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      position = batch.upTo();
      identity = of.clone();
      unconfirmed = Math.max(0, unconfirmed - batch.entries().size());
      waitingSince = 0;
      append(frame(Frame.Type.CONFIRMED, Frame.NO_CALL, Contents.confirmation(position, of)));
    } finally {
      lock.unlock();
    }
  }

  /** Of the database that the last entries were confirmed for; empty before the first one. */
  public byte[] identity() {
    lock.lock();
    try {
      return identity.clone();
    } finally {
      lock.unlock();
    }
  }

  /** Goes back to the oldest entry that is kept: all of them are returned once more. */
  public void rewind() {
    lock.lock();
    try {
      position = Position.START;
    } finally {
      lock.unlock();
    }
  }

  /** Whether new calls are refused because the disk does not take what was written. */
  public boolean failing() {
    lock.lock();
    try {
      Segment last = segments.getLast();
      return sync.failing() || last.broken() || last.unsyncedBytes() > MAX_UNSYNCED;
    } finally {
      lock.unlock();
    }
  }

  /** The size of all segments. */
  public long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /** How many entries wait for the database. */
  public long unconfirmed() {
    lock.lock();
    try {
      return unconfirmed;
    } finally {
      lock.unlock();
    }
  }

  /** For how long the oldest entry has waited for the database. */
  public Duration waiting() {
    lock.lock();
    try {
      return waitingSince == 0
          ? Duration.ZERO
          : Duration.ofMillis(Math.max(0, clock.millis() - waitingSince));
    } finally {
      lock.unlock();
    }
  }

  /** How many damaged files are kept in quarantine. */
  public int quarantined() {
    return folder.quarantined();
  }

  /** A copy for the thread that syncs, and the ticket of the last record in them. */
  SpoolSync.Work work() {
    lock.lock();
    try {
      return new SpoolSync.Work(List.copyOf(segments), records);
    } finally {
      lock.unlock();
    }
  }

  /** Whether the disk has no room for another segment. */
  boolean diskFull() {
    try {
      return files.usable(folder.path()) < 2 * limits.segmentBytes();
    } catch (IOException e) {
      return false;
    }
  }

  /** Deletes what is confirmed and older than it is kept; all of it if the disk is full. */
  void prune(boolean diskFull) {
    lock.lock();
    try {
      long oldest = clock.millis() - limits.keep().toMillis();
      while (deletable() && (diskFull || segments.getFirst().lastTime() < oldest)) {
        deleteOldest();
      }
      for (Segment segment : segments) {
        if (segment != segments.getLast()) {
          segment.seal();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** All entries of the first segment are confirmed, and its open calls are in a later one. */
  private boolean deletable() {
    return segments.size() > 1
        && segments.getFirst().number() < position.segment()
        && segments.getFirst().durable();
  }

  private void deleteOldest() {
    Segment oldest = segments.remove();
    bytes -= oldest.length();
    oldest.delete();
  }

  /** Brings everything to the disk, as far as possible, and leaves the folder to others. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closed = true;
      appended.signalAll();
    } finally {
      lock.unlock();
    }
    boolean all = sync.close();
    try (folder) {
      if (all) {
        folder.clean();
      }
      segments.forEach(Segment::close);
    }
  }
}
