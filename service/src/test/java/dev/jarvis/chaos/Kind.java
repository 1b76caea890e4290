package dev.jarvis.chaos;

/** A kind of call. */
enum Kind {
  WHOLE("cheap", false, false),
  STREAM("cheap", true, false),
  /** The first target refuses, and a dearer one answers. */
  FALLBACK("falls-back", true, false),
  /** The client leaves while the call is held. */
  LEFT_WHOLE("cheap", false, true),
  LEFT_STREAM("cheap", true, true);

  private final String route;
  private final boolean streamed;
  private final boolean leaves;

  Kind(String route, boolean streamed, boolean leaves) {
    this.route = route;
    this.streamed = streamed;
    this.leaves = leaves;
  }

  String route() {
    return route;
  }

  boolean streamed() {
    return streamed;
  }

  boolean leaves() {
    return leaves;
  }
}
