package dev.jarvis.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * Estimates the heap that a JSON text takes as a tree of Jackson's nodes, as an upper bound.
 * Measured with 300,000 of each in an array (Jackson 2.21, JDK 25, compressed references): an empty
 * object takes 88 bytes, with its first field 208 and 40 for each further one, plus 48 for a short
 * name and 7 to 11 of the table; an empty array 48, with its first element 104 and 7 for each
 * further one; a short text 64; an int 16; a long and a double 24. Characters take one byte, or two
 * if any of the text is outside of Latin-1.
 */
final class JsonWeight {
  /**
   * A byte of a body takes at most 40 bytes of heap, in a body such as {@code [{},[{},…}; the rest
   * is a margin for what parsing allocates temporarily.
   */
  private static final int HEAVIEST_BYTE = 64;

  /**
   * A body up to this size is assumed to be of the worst kind, because counting would cost more.
   */
  private static final int MAX_ASSUMED_BYTES = 4 << 10;

  /** ObjectNode, LinkedHashMap and its first table. */
  private static final int OBJECT = 168;

  /** ArrayNode, ArrayList and its first array. */
  private static final int ARRAY = 104;

  /**
   * An entry, its part of the table, a String and its array; twice, for the check of duplicates.
   */
  private static final int FIELD = 144;

  /** TextNode, String and its array. */
  private static final int TEXT = 64;

  private static final int NUMBER = 24;

  /** A BigInteger without its digits. */
  private static final int LONG_NUMBER = 96;

  /** An element of an array's list, which grows by half. */
  private static final int ELEMENT = 12;

  private static final int CHARACTER = 2;

  private JsonWeight() {}

  /** Whether {@link #assumed} is precise enough for a body. */
  static boolean isSmall(int bytes) {
    return bytes <= MAX_ASSUMED_BYTES;
  }

  /** An upper bound for every body of this size. */
  static long assumed(int bytes) {
    return (long) bytes * HEAVIEST_BYTE;
  }

  /**
   * Reads a text to its end and counts its values, without building a tree.
   *
   * @param bytes size of the text in UTF-8
   * @throws IOException if it is not JSON
   */
  static long counted(JsonParser parser, int bytes) throws IOException {
    parser.disable(
        JsonParser.Feature.STRICT_DUPLICATE_DETECTION); // it would keep every name in memory
    long weight = (long) bytes * CHARACTER;
    for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
      weight +=
          switch (token) {
            case START_OBJECT -> OBJECT + ELEMENT;
            case START_ARRAY -> ARRAY + ELEMENT;
            case FIELD_NAME -> FIELD;
            case VALUE_STRING -> TEXT + ELEMENT;
            case VALUE_NUMBER_INT -> (parser.getTextLength() < 19 ? NUMBER : LONG_NUMBER) + ELEMENT;
            case VALUE_NUMBER_FLOAT -> NUMBER + ELEMENT;
            default -> ELEMENT;
          };
    }
    return weight;
  }
}
