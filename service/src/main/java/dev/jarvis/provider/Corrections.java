package dev.jarvis.provider;

import dev.jarvis.gateway.Event;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Reports what was corrected in an answer, each thing once. */
public final class Corrections {
  private final Set<String> reported = new HashSet<>();

  /**
   * Adds a note unless it was reported before.
   *
   * @param what the name of a field, or of a part of the framing
   */
  public void report(String what, List<Event> events) {
    if (reported.add(what)) {
      events.add(new Event.Note(Event.Note.Kind.CORRECTED, what));
    }
  }
}
