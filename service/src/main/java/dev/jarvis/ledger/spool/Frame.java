package dev.jarvis.ledger.spool;

import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A record of the spool. On disk: its length (4 bytes, of the whole record), the CRC32C of all that
 * follows (4), type (1), time in milliseconds (8), the call's id (16), payload.
 *
 * @param id zero if the record belongs to no call
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record Frame(Type type, long time, UUID id, byte[] payload) {
  static final int HEADER = 33;

  /** Longer ones are refused, so that a damaged length is noticed. */
  static final int MAX_LENGTH = 1 << 20;

  static final UUID NO_CALL = new UUID(0, 0);

  private static final int CHECKED_FROM = 8;

  /** The numbers are part of the format. */
  enum Type {
    /** A model will be asked. */
    INTENT(0),
    /** A target is being asked. */
    ATTEMPT(1),
    /** What a stream has used so far. */
    CHECKPOINT(2),
    /** The call has ended; the payload is its ledger entry. */
    SETTLED(3),
    /** The call has ended without a model. */
    VOID(4),
    /** All entries up to a position are in the database. */
    CONFIRMED(5),
    /** Stands where a damaged record was, so that positions stay the same. */
    FILLER(6);

    private final byte number;

    Type(int number) {
      this.number = (byte) number;
    }

    static @Nullable Type of(byte number) {
      for (Type type : values()) {
        if (type.number == number) {
          return type;
        }
      }
      return null;
    }
  }

  Frame {
    if (HEADER + payload.length > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a record has %d bytes; the maximum is %d"
              .formatted(payload.length, MAX_LENGTH - HEADER));
    }
  }

  byte[] encode() {
    byte[] bytes = new byte[HEADER + payload.length];
    ByteBuffer.wrap(bytes)
        .putInt(bytes.length)
        .putInt(0)
        .put(type.number)
        .putLong(time)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .put(payload);
    ByteBuffer.wrap(bytes).putInt(4, crc(bytes, CHECKED_FROM, bytes.length));
    return bytes;
  }

  /** Returns the record at an offset; null if there is no whole and undamaged one. */
  static @Nullable Frame decode(byte[] bytes, int offset) {
    if (bytes.length - offset < HEADER) {
      return null;
    }
    ByteBuffer from = ByteBuffer.wrap(bytes);
    int length = from.getInt(offset);
    Type type = Type.of(from.get(offset + CHECKED_FROM));
    if (length < HEADER
        || length > Math.min(MAX_LENGTH, bytes.length - offset)
        || type == null
        || from.getInt(offset + 4) != crc(bytes, offset + CHECKED_FROM, offset + length)) {
      return null;
    }
    byte[] payload = new byte[length - HEADER];
    from.get(offset + HEADER, payload);
    return new Frame(
        type,
        from.getLong(offset + 9),
        new UUID(from.getLong(offset + 17), from.getLong(offset + 25)),
        payload);
  }

  int length() {
    return HEADER + payload.length;
  }

  private static int crc(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return (int) crc.getValue();
  }
}
