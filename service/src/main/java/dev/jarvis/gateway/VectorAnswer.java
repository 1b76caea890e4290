package dev.jarvis.gateway;

import java.util.ArrayList;
import java.util.List;

/** A whole answer to a request for embeddings, collected from its events. */
public record VectorAnswer(List<float[]> vectors, Usage usage) {
  /** Reads an answer to its end. */
  public static VectorAnswer of(Answer answer) {
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
