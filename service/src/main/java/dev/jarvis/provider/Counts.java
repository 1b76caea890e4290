package dev.jarvis.provider;

import com.fasterxml.jackson.databind.JsonNode;

/** Reads the numbers of model servers: integers, in whatever form they are written. */
public final class Counts {
  /** There is no such field, or it is null. */
  public static final int ABSENT = -1;

  /** The value is no count of tokens: negative, a fraction, too large, or no number. */
  public static final int IMPOSSIBLE = -2;

  private Counts() {}

  /** The exact number from 0, {@link #ABSENT} or {@link #IMPOSSIBLE}. */
  public static int of(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return ABSENT;
    }
    if (value.isNumber()) {
      boolean exact = value.canConvertToInt() && value.canConvertToExactIntegral();
      return exact && value.intValue() >= 0 ? value.intValue() : IMPOSSIBLE;
    }
    String text = value.isTextual() ? value.textValue().strip() : "";
    if (!text.matches("\\d{1,10}(\\.0{1,10})?")) {
      return IMPOSSIBLE;
    }
    long number = Long.parseLong(text.split("\\.", 2)[0]);
    return number <= Integer.MAX_VALUE ? (int) number : IMPOSSIBLE;
  }
}
