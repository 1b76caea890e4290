package dev.jarvis.http;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says in plain words why a body is not JSON; the parser's own words are for Java programmers. */
final class JsonProblem {
  private static final int MAX_SHOWN = 40;

  /**
   * @param parser what the parser says
   * @param words ours; {@code $1} is the pattern's first group
   */
  private record Known(Pattern parser, String words) {
    Known(String parser, String words) {
      this(Pattern.compile(parser), words);
    }
  }

  private static final List<Known> KNOWN =
      List.of(
          new Known(
              "^(?:Non-standard token|Unrecognized token) '(.*?)'",
              "'$1' is not a value; allowed are strings in double quotes, numbers, true, false, null, objects and arrays"),
          new Known("^Unexpected end-of-input", "it ends too early"),
          new Known(
              "^Unexpected close marker '(.)': expected '.'", "'$1' closes what it did not open"),
          new Known(
              "^Unexpected character .*hex-digit for character escape",
              "\\u must be followed by four hexadecimal digits"),
          new Known(
              "^Invalid numeric value|^Malformed numeric value|^Unexpected character .*in numeric value",
              "a number is malformed"),
          new Known(
              "^Unexpected character \\('(.)' .*double-quote to start field name",
              "'$1' is unexpected; a name in double quotes must follow"),
          new Known(
              "^Unexpected character \\('(.)' .*colon to separate field name",
              "'$1' is unexpected; a colon must follow a name"),
          new Known(
              "^Unexpected character \\('(.)' .*comma to separate",
              "'$1' is unexpected; a comma or the end must follow a value"),
          new Known("^Unexpected character \\('(.)' ", "'$1' is unexpected"),
          new Known(
              "^Illegal unquoted character", "a control character in a string must be escaped"),
          new Known("^Unrecognized character escape '(.)'", "'\\$1' is not an escape"),
          new Known("^Unrecognized character escape", "a backslash must begin an escape"),
          new Known("^Duplicate field '(.*)'", "an object has the name '$1' twice"),
          new Known("^Trailing token", "something follows the end of the object"));

  private JsonProblem() {}

  /** The message for the client, with the place. */
  static String of(JsonProcessingException error) {
    JsonLocation place = error.getLocation();
    return "The body is not valid JSON: %s (line %d, column %d)."
        .formatted(
            words(String.valueOf(error.getOriginalMessage())),
            place == null ? 1 : place.getLineNr(),
            place == null ? 1 : place.getColumnNr());
  }

  private static String words(String parser) {
    for (Known known : KNOWN) {
      Matcher matcher = known.parser.matcher(parser);
      if (matcher.find()) {
        String shown = matcher.groupCount() > 0 ? shown(matcher.group(1)) : "";
        return known.words.replace("$1", shown);
      }
    }
    return "a character is not allowed here";
  }

  private static String shown(String text) {
    return text.codePointCount(0, text.length()) <= MAX_SHOWN
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MAX_SHOWN)) + "…";
  }
}
