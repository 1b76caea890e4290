package dev.jarvis.chat;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Usage;
import java.util.ArrayList;
import java.util.List;

/** What the events of embeddings come to. */
record VectorAnswer(List<float[]> vectors, Usage usage) {
  /** Reads an answer to its end. */
  static VectorAnswer of(Answer answer) {
    List<float[]> vectors = new ArrayList<>();
    Usage usage = Usage.NONE;
    Event event = answer.next();
    while (!(event instanceof Event.End)) {
      if (event instanceof Event.Vectors it) {
        vectors.addAll(it.vectors());
      } else if (event instanceof Event.UsageReport it) {
        usage = it.usage();
      }
      event = answer.next();
    }
    return new VectorAnswer(vectors, usage);
  }
}
