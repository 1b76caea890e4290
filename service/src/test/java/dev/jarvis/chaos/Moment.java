package dev.jarvis.chaos;

import java.util.ArrayList;
import java.util.List;

/**
 * The moments of a call at which it can be held: at each stage of the pipeline, and in the model
 * server. A moment is a phase and the name of a stage, or one of the model server's.
 */
final class Moment {
  /** Before a stage handles the call. */
  static final String BEFORE = "before-";

  /** When the first event of the answer comes back from a stage. */
  static final String FIRST = "first-";

  /** When the end of the answer comes back from a stage. */
  static final String END = "end-";

  /** The model server has the request and has generated nothing. */
  static final String ASKED = "model-asked";

  /** The model server has generated half of the answer. */
  static final String HALF = "model-half";

  /** The model server has sent everything and not ended the response. */
  static final String SENT = "model-sent";

  private Moment() {}

  /** All moments of a pipeline. */
  static List<String> all(List<String> stages) {
    List<String> all = new ArrayList<>();
    stages.forEach(it -> all.add(BEFORE + it));
    all.addAll(List.of(ASKED, HALF, SENT));
    stages.reversed().forEach(it -> all.add(FIRST + it));
    stages.reversed().forEach(it -> all.add(END + it));
    return all;
  }
}
