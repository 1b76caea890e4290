package dev.jarvis.gateway;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The notes of one answer: each once, bounded. Used by one thread at a time. */
public final class Notes {
  private static final int MAX_OF_A_KIND = 20;

  private final Map<Event.Note.Kind, List<String>> details = new EnumMap<>(Event.Note.Kind.class);

  /** Adds a note unless it is known. */
  public void add(Event.Note note) {
    List<String> known = details.computeIfAbsent(note.kind(), kind -> new ArrayList<>());
    if (known.size() < MAX_OF_A_KIND && !known.contains(note.detail())) {
      known.add(note.detail());
    }
  }

  /** What the notes are about, by their kind's id; empty if there are none. */
  public Map<String, List<String>> byKind() {
    Map<String, List<String>> byKind = new LinkedHashMap<>();
    details.forEach((kind, about) -> byKind.put(kind.id(), List.copyOf(about)));
    return byKind;
  }
}
