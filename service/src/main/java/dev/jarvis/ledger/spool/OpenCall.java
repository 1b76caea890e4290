package dev.jarvis.ledger.spool;

import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A call that has begun and not ended, with what the spool knows of it.
 *
 * @param attempt the last one; null if no target was asked
 * @param checkpoint the last one of the attempt; null if there is none
 */
record OpenCall(Frame intent, @Nullable Frame attempt, @Nullable Frame checkpoint, long reserved) {
  UUID id() {
    return intent.id();
  }

  /** With a later record, whose room is taken from the reserved one as far as it goes. */
  OpenCall with(Frame later) {
    long left = Math.max(0, reserved - later.length());
    return switch (later.type()) {
      case ATTEMPT -> new OpenCall(intent, later, null, left);
      case CHECKPOINT -> new OpenCall(intent, attempt, later, left);
      default -> throw new IllegalArgumentException("not of an open call: " + later.type());
    };
  }

  /** All that a later segment needs, so that earlier ones can be deleted. */
  List<Frame> frames() {
    return Stream.of(intent, attempt, checkpoint).filter(Objects::nonNull).toList();
  }
}
