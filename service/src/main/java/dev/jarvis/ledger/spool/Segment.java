package dev.jarvis.ledger.spool;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file of the spool. What is not known to be on the disk is also in memory, so that it can be
 * read and written again after the file has failed. A file whose write or fsync has failed is never
 * trusted again: it is replaced by a new one. Methods that wait for the disk lock nothing
 * meanwhile.
 */
final class Segment {
  static final String SUFFIX = ".log";

  private static final Logger LOG = LoggerFactory.getLogger(Segment.class);

  private final SpoolFiles files;
  private final Path folder;
  private final Path path;
  private final long number;
  private final Deque<byte[]> unsynced = new ArrayDeque<>();
  private SpoolFiles.@Nullable Output output;
  private boolean nameSynced;
  private boolean broken;
  private long length;
  private long synced;
  private long lastTime;

  private Segment(SpoolFiles files, Path folder, long number) {
    this.files = files;
    this.folder = folder;
    this.path = path(folder, number);
    this.number = number;
  }

  static Path path(Path folder, long number) {
    return folder.resolve("%010d%s".formatted(number, SUFFIX));
  }

  /** A new segment; one whose file cannot be created begins as a failed one. */
  static Segment create(SpoolFiles files, Path folder, long number) {
    Segment segment = new Segment(files, folder, number);
    try {
      segment.output = files.create(segment.path);
    } catch (IOException e) {
      segment.broken = true;
    }
    return segment;
  }

  /** A segment of an earlier process, which is not appended to. */
  static Segment existing(SpoolFiles files, Path folder, long number, long length, long lastTime) {
    Segment segment = new Segment(files, folder, number);
    segment.nameSynced = true;
    segment.length = length;
    segment.synced = length;
    segment.lastTime = lastTime;
    return segment;
  }

  long number() {
    return number;
  }

  synchronized long length() {
    return length;
  }

  /** Bytes that are only in memory, as far as is known. */
  synchronized long unsyncedBytes() {
    return length - synced;
  }

  synchronized boolean broken() {
    return broken;
  }

  /** When the last record was appended, in milliseconds. */
  synchronized long lastTime() {
    return lastTime;
  }

  /** Whether nothing has to be done for what was appended. */
  synchronized boolean durable() {
    return synced == length && !broken;
  }

  /** Appends a record; if the file fails, the record stays in memory. */
  synchronized void append(Frame frame) {
    byte[] bytes = frame.encode();
    unsynced.add(bytes);
    length += bytes.length;
    lastTime = frame.time();
    if (!broken && output != null) {
      try {
        output.write(bytes);
      } catch (IOException e) {
        broken = true;
      }
    }
  }

  /**
   * Brings all that was appended before to the disk, if necessary into a new file.
   *
   * @throws IOException if that fails; it may be tried again
   */
  void sync() throws IOException {
    SpoolFiles.Output to;
    long upTo;
    synchronized (this) {
      if (durable()) {
        return;
      }
      to = broken ? null : output;
      upTo = length;
    }
    if (to == null) {
      replace();
      return;
    }
    try {
      if (!nameSynced) {
        files.syncFolder(folder);
        nameSynced = true;
      }
      to.sync();
    } catch (IOException e) {
      synchronized (this) {
        broken = true;
      }
      throw e;
    }
    synchronized (this) {
      forget(upTo);
    }
  }

  private synchronized void forget(long upTo) {
    while (synced < upTo) {
      synced += unsynced.remove().length;
    }
  }

  private void replace() throws IOException {
    int kept = Math.toIntExact(durableLength());
    byte[] before = kept == 0 ? new byte[0] : files.read(path, 0, kept);
    if (before.length < kept) {
      throw new IOException(path + " has lost its end");
    }
    Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
    SpoolFiles.Output fresh = files.createTemporary(temporary);
    try {
      fresh.write(before);
      long written = 0;
      for (byte[] bytes : copy()) {
        fresh.write(bytes);
        written += bytes.length;
      }
      fresh.sync();
      files.replace(path, temporary);
      files.syncFolder(folder);
      adopt(fresh, kept + written);
    } catch (IOException | RuntimeException | Error e) {
      close(fresh);
      Files.deleteIfExists(temporary); // it may take the room that is missing
      throw e;
    }
  }

  private synchronized long durableLength() {
    return synced;
  }

  private synchronized List<byte[]> copy() {
    return new ArrayList<>(unsynced);
  }

  /** What was appended while the new file was written follows now. */
  private synchronized void adopt(SpoolFiles.Output fresh, long upTo) throws IOException {
    close(output);
    output = fresh;
    nameSynced = true;
    forget(upTo);
    broken = false;
    for (byte[] bytes : unsynced) {
      try {
        fresh.write(bytes);
      } catch (IOException e) {
        broken = true;
        return;
      }
    }
  }

  /** No record follows, and all are durable: the file is closed. */
  synchronized void seal() {
    if (durable()) {
      close(output);
      output = null;
    }
  }

  /**
   * Returns the bytes from an offset on: whole records, unless the disk damaged them.
   *
   * @param most so many bytes and the rest of a record that begins in them
   * @param salvage whether zeros stand for what the disk does not return
   */
  byte[] read(long offset, int most, boolean salvage) throws IOException {
    long fromDisk;
    synchronized (this) {
      fromDisk = synced - offset;
      if (fromDisk <= 0) {
        return fromMemory(offset, most);
      }
    }
    // replaced files have the same bytes
    int length = (int) Math.min(fromDisk, most + Frame.MAX_LENGTH);
    return salvage
        ? Salvage.read(files, path, offset, length).bytes()
        : files.read(path, offset, length);
  }

  /** Returns all bytes of a segment of an earlier process. */
  byte[] readAll() throws IOException {
    return length() == 0
        ? new byte[0]
        : Salvage.read(files, path, 0, Math.toIntExact(length())).bytes();
  }

  private byte[] fromMemory(long offset, int most) {
    List<byte[]> wanted = new ArrayList<>();
    int size = 0;
    long at = synced;
    for (byte[] bytes : unsynced) {
      if (at >= offset) {
        wanted.add(bytes);
        size += bytes.length;
      }
      at += bytes.length;
      if (size >= most) {
        break;
      }
    }
    byte[] joined = new byte[size];
    int to = 0;
    for (byte[] bytes : wanted) {
      System.arraycopy(bytes, 0, joined, to, bytes.length);
      to += bytes.length;
    }
    return joined;
  }

  synchronized void delete() {
    close(output);
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("file", path).setCause(e).log("a file of the spool stays");
    }
  }

  synchronized void close() {
    close(output);
  }

  private static void close(SpoolFiles.@Nullable Output output) {
    if (output != null) {
      try {
        output.close();
      } catch (IOException e) {
        // all that matters was synced before
      }
    }
  }
}
