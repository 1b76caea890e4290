package dev.jarvis.ledger.spool;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** The operations on files that may fail, so that tests can make them fail. */
interface SpoolFiles {
  /** A file that is appended to. */
  interface Output extends AutoCloseable {
    /** Appends all bytes, or throws with any number of them written. */
    void write(byte[] bytes) throws IOException;

    /** Returns when all that was written before is on the disk. */
    void sync() throws IOException;

    @Override
    void close() throws IOException;
  }

  /** Creates an empty file; fails if there is one, which may be another process's. */
  Output create(Path file) throws IOException;

  /** Creates an empty file in the place of what an interrupted attempt has left. */
  default Output createTemporary(Path file) throws IOException {
    Files.deleteIfExists(file);
    return create(file);
  }

  /** Cuts the end of a file, which needs no room, and returns when that is on the disk. */
  void truncate(Path file, long length) throws IOException;

  /** Writes a small file, in the same place if there is one, and returns when it is on the disk. */
  void overwrite(Path file, byte[] content) throws IOException;

  /** Returns bytes of a file: fewer than asked for only at its end. */
  byte[] read(Path file, long offset, int length) throws IOException;

  /** Replaces a file by another one, such that either is there whenever the machine stops. */
  void replace(Path file, Path by) throws IOException;

  /** Makes the names of files durable. */
  void syncFolder(Path folder) throws IOException;

  /** How many bytes the disk still takes. */
  long usable(Path folder) throws IOException;

  /** The real ones. */
  final class OnDisk implements SpoolFiles {
    // not a channel's methods for writing: an interrupt of a request's thread would close it
    private record Appended(RandomAccessFile file) implements Output {
      @Override
      public void write(byte[] bytes) throws IOException {
        file.write(bytes);
      }

      @Override
      public void sync() throws IOException {
        file.getChannel().force(false);
      }

      @Override
      public void close() throws IOException {
        file.close();
      }
    }

    @Override
    public Output create(Path file) throws IOException {
      return new Appended(new RandomAccessFile(Files.createFile(file).toFile(), "rw"));
    }

    @Override
    public void truncate(Path file, long length) throws IOException {
      try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
        to.setLength(length);
        to.getFD().sync();
      }
    }

    @Override
    public void overwrite(Path file, byte[] content) throws IOException {
      try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
        to.write(content);
        to.setLength(content.length);
        to.getFD().sync();
      }
    }

    @Override
    public byte[] read(Path file, long offset, int length) throws IOException {
      try (RandomAccessFile from = new RandomAccessFile(file.toFile(), "r")) {
        byte[] bytes = new byte[Math.clamp(from.length() - offset, 0, length)];
        from.seek(offset);
        from.readFully(bytes);
        return bytes;
      }
    }

    @Override
    public void replace(Path file, Path by) throws IOException {
      Files.move(by, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }

    @Override
    public long usable(Path folder) throws IOException {
      return Files.getFileStore(folder).getUsableSpace();
    }
  }
}
