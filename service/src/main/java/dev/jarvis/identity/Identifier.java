package dev.jarvis.identity;

import java.util.Set;

/** The form of the ids of users and teams, which administrators choose. */
public final class Identifier {
  /** How an error describes the form. */
  public static final String RULE =
      "it must be 1 to 64 characters, none of them blank, a control character, ':', ',' or '/', and not begin with 'erased-'";

  /** What the pseudonyms of erased users begin with. */
  public static final String PSEUDONYM = "erased-";

  private static final int MAX_LENGTH = 64;

  /** Paths of a URL cannot name these. */
  private static final Set<String> STEPS = Set.of(".", "..");

  private Identifier() {}

  /** Whether a user or team may have the id. */
  public static boolean isValid(String id) {
    int length = id.codePointCount(0, id.length());
    return length >= 1
        && length <= MAX_LENGTH
        && !STEPS.contains(id)
        && !id.startsWith(PSEUDONYM)
        && id.codePoints().allMatch(Identifier::isAllowed);
  }

  private static boolean isAllowed(int character) {
    return !Character.isWhitespace(character)
        && !Character.isSpaceChar(character)
        && !Character.isISOControl(character)
        && Character.getType(character) != Character.SURROGATE
        && character != ':'
        && character != ','
        && character != '/';
  }
}
