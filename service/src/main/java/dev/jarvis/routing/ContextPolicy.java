package dev.jarvis.routing;

/** What happens to a prompt that is longer than a target's context window. */
public enum ContextPolicy {
  /** It is sent; if the server cuts it, the answer says so. */
  TELL,
  /** It is refused if it is too long for any target. */
  REFUSE,
  /** Targets for which it is too long are skipped; it is refused if none is left. */
  FIT;

  /** Describes the values, for each key that has them. */
  static final String DOC =
      "tell: sends it, and tells if the server has cut it. refuse: refuses it with 400 if it does not fit every target. fit: asks the targets that it fits, and refuses it with 400 if there is none.";

  static final String DEFAULT = "tell";
}
