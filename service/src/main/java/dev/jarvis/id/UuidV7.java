package dev.jarvis.id;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import java.time.Instant;
import java.util.UUID;

/** UUIDs of version 7, which begin with the time of their creation (RFC 9562, section 5.7). */
public final class UuidV7 {
  private static final NoArgGenerator GENERATOR = Generators.timeBasedEpochRandomGenerator();

  private UuidV7() {}

  /** A new UUID with the current time. */
  public static UUID next() {
    return GENERATOR.generate();
  }

  /** The time in the UUID, in milliseconds. */
  public static Instant time(UUID id) {
    return Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);
  }
}
