package dev.jarvis.ledger.spool;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process finds in the spool's folder when it starts. A torn end of the newest segment is
 * cut, after a stop of the machine that of any segment; a segment that is damaged elsewhere is kept
 * in quarantine, and replaced by what can be read of it.
 */
final class Contents {
  private static final Logger LOG = LoggerFactory.getLogger(Contents.class);

  private final SpoolFolder folder;
  private final SpoolFiles files;
  private final List<Segment> segments = new ArrayList<>();
  private final Map<UUID, OpenCall> open = new LinkedHashMap<>();
  private final Map<UUID, Boolean> known = new LatestCalls();
  private Position confirmed = Position.START;
  private byte[] identity = new byte[0];
  private long unconfirmed;

  private static final class LatestCalls extends LinkedHashMap<UUID, Boolean> {
    private static final long serialVersionUID = 1;
    private static final int MAX = 200_000;

    @Override
    protected boolean removeEldestEntry(Map.Entry<UUID, Boolean> eldest) {
      return size() > MAX;
    }
  }

  private Contents(SpoolFolder folder, SpoolFiles files) {
    this.folder = folder;
    this.files = files;
  }

  static Contents read(SpoolFolder folder, SpoolFiles files) throws IOException {
    Contents contents = new Contents(folder, files);
    folder.deleteTemporary();
    List<Long> numbers = folder.segments();
    for (long number : numbers) {
      contents.read(number, number == numbers.getLast());
    }
    contents.countUnconfirmed();
    return contents;
  }

  private void read(long number, boolean newest) throws IOException {
    Path path = Segment.path(folder.path(), number);
    Salvage found = Salvage.read(files, path, 0, Integer.MAX_VALUE);
    Scan scan = Scan.of(found.bytes());
    boolean torn = scan.end() < found.bytes().length;
    boolean mayBeTorn = newest || folder.machineStopped();
    if (!found.whole() || !scan.damaged().isEmpty() || (torn && !mayBeTorn)) {
      folder.incomplete();
      LOG.atError()
          .addKeyValue("file", path)
          .addKeyValue("records", scan.records().size())
          .log("a file of the spool is damaged; what can be read of it is used");
      repair(path, found.bytes(), scan);
    } else if (torn) {
      folder.incomplete(); // a kill tears nothing: the disk was full, or failed
      cut(path, scan.end());
    }
    long lastTime = 0;
    for (Scan.Found it : scan.records()) {
      add(it.frame());
      lastTime = Math.max(lastTime, it.frame().time());
    }
    segments.add(Segment.existing(files, folder.path(), number, scan.end(), lastTime));
  }

  /** Without a copy, for which a full disk has no room. */
  private void cut(Path path, long end) {
    try {
      files.truncate(path, end);
    } catch (IOException e) {
      stays(path, e);
    }
  }

  private void repair(Path path, byte[] bytes, Scan scan) throws IOException {
    Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
    try {
      folder.quarantine(path);
      rewrite(path, temporary, bytes, scan);
    } catch (IOException | UnsupportedOperationException e) { // no room, or no links
      Files.deleteIfExists(temporary);
      stays(path, e);
    }
  }

  /** Its records are used nevertheless, and the next start tries again. */
  private static void stays(Path path, Exception e) {
    LOG.atWarn().addKeyValue("file", path).setCause(e).log("a file of the spool is not repaired");
  }

  private void rewrite(Path path, Path temporary, byte[] bytes, Scan scan) throws IOException {
    byte[] good = Arrays.copyOf(bytes, scan.end());
    for (Scan.Range gap : scan.damaged()) {
      fill(good, gap);
    }
    try (SpoolFiles.Output output = files.createTemporary(temporary)) {
      output.write(good);
      output.sync();
    }
    files.replace(path, temporary);
    files.syncFolder(folder.path());
  }

  private static void fill(byte[] bytes, Scan.Range gap) {
    for (int at = gap.from(); at < gap.to(); ) {
      int left = gap.to() - at;
      int length = left <= Frame.MAX_LENGTH ? left : Frame.MAX_LENGTH - Frame.HEADER;
      byte[] filler =
          new Frame(Frame.Type.FILLER, 0, Frame.NO_CALL, new byte[length - Frame.HEADER]).encode();
      System.arraycopy(filler, 0, bytes, at, length);
      at += length;
    }
  }

  private void add(Frame frame) {
    UUID id = frame.id();
    switch (frame.type()) {
      case INTENT -> {
        known.put(id, true);
        open.putIfAbsent(id, new OpenCall(frame, null, null, 0));
      }
      case ATTEMPT, CHECKPOINT -> {
        known.put(id, true);
        open.computeIfPresent(id, (same, call) -> call.with(frame));
      }
      case SETTLED, VOID -> {
        known.put(id, true);
        open.remove(id);
      }
      case CONFIRMED -> {
        ByteBuffer payload = ByteBuffer.wrap(frame.payload());
        confirmed = new Position(payload.getLong(), payload.getLong());
        identity = new byte[payload.remaining()];
        payload.get(identity);
      }
      case FILLER -> {}
    }
  }

  /** The payload of a record that confirms all entries up to a position. */
  static byte[] confirmation(Position upTo, byte[] identity) {
    return ByteBuffer.allocate(2 * Long.BYTES + identity.length)
        .putLong(upTo.segment())
        .putLong(upTo.offset())
        .put(identity)
        .array();
  }

  private void countUnconfirmed() throws IOException {
    for (Segment segment : segments) {
      if (segment.number() >= confirmed.segment()) {
        long from = segment.number() == confirmed.segment() ? confirmed.offset() : 0;
        for (Scan.Found found : Scan.of(segment.readAll()).records()) {
          if (found.offset() >= from && found.frame().type() == Frame.Type.SETTLED) {
            unconfirmed++;
          }
        }
      }
    }
  }

  List<Segment> segments() {
    return segments;
  }

  /** In the order in which they began. */
  Map<UUID, OpenCall> open() {
    return open;
  }

  /** The calls of which there is a record, up to a number of the latest. */
  Set<UUID> known() {
    return Collections.unmodifiableSet(known.keySet());
  }

  Position confirmed() {
    return confirmed;
  }

  /** Of the database that the last confirmation was made with; empty if there was none. */
  byte[] identity() {
    return identity;
  }

  /** How many entries are not known to be in the database. */
  long unconfirmed() {
    return unconfirmed;
  }
}
