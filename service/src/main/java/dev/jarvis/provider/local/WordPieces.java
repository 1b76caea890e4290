package dev.jarvis.provider.local;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.json.SharedBuffers;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Divides a text into the pieces of words that a BERT model reads, as the model's own tokenizer
 * does: lower case, no accents, each punctuation mark and each Chinese character a word, and of
 * each word the longest pieces that the vocabulary has (Devlin et al., 2019). Unlike there, a
 * control token such as {@code [SEP]} in a text is text. Thread-safe.
 */
public final class WordPieces {
  private static final String CONTINUED = "##";
  private static final String UNKNOWN = "[UNK]";

  /** A longer word is unknown as a whole. */
  private static final int MAX_WORD_CHARS = 100;

  private static final int REPLACEMENT = 0xFFFD;

  private final Map<String, Integer> first = new HashMap<>();
  private final Map<String, Integer> continued = new HashMap<>();
  private final int unknown;
  private final int longest;

  /** Receives the words of a text, one after another. */
  private interface Words {
    /**
     * @param end where the word ends in the text
     * @return false to stop
     */
    boolean word(CharSequence word, int end);
  }

  private WordPieces(JsonNode vocabulary) {
    int length = 0;
    for (Map.Entry<String, JsonNode> each : vocabulary.properties()) {
      String piece = each.getKey();
      if (piece.startsWith(CONTINUED)) {
        continued.put(piece.substring(CONTINUED.length()), each.getValue().intValue());
      } else {
        first.put(piece, each.getValue().intValue());
      }
      length = Math.max(length, piece.length());
    }
    longest = length;
    unknown = vocabulary.path(UNKNOWN).intValue();
  }

  /**
   * Reads a model's vocabulary.
   *
   * @throws IOException if it cannot be read
   */
  static WordPieces read(EmbeddingModel model) throws IOException {
    try (InputStream in = WordPieces.class.getResourceAsStream(model.vocabulary())) {
      if (in == null) {
        throw new FileNotFoundException("no vocabulary on the class path: " + model.vocabulary());
      }
      return new WordPieces(SharedBuffers.mapper().readTree(in).path("model").path("vocab"));
    }
  }

  /** Returns the numbers of the pieces, without the control tokens around a text. */
  int[] encode(String text) {
    Pieces pieces = new Pieces();
    words(
        text,
        (word, end) -> {
          pieces.add(word);
          return true;
        });
    return Arrays.copyOf(pieces.ids, pieces.count);
  }

  /** Returns the number of pieces. */
  public int count(String text) {
    return encode(text).length;
  }

  /**
   * Returns the length in characters of the longest beginning of so many pieces, in whole words.
   */
  public int fit(String text, int maxPieces) {
    Pieces pieces = new Pieces();
    int[] fitting = {0};
    boolean[] whole = {true};
    words(
        text,
        (word, end) -> {
          pieces.add(word);
          whole[0] = pieces.count <= maxPieces;
          fitting[0] = whole[0] ? end : fitting[0];
          return whole[0];
        });
    return whole[0] ? text.length() : fitting[0];
  }

  /** The pieces of the words so far. */
  private final class Pieces {
    private int[] ids = new int[64];
    private int count;

    void add(CharSequence chars) {
      String word = chars.toString();
      int begin = count;
      if (word.codePointCount(0, word.length()) > MAX_WORD_CHARS) {
        put(unknown);
        return;
      }
      for (int start = 0; start < word.length(); ) {
        Map<String, Integer> vocabulary = start == 0 ? first : continued;
        int end = Math.min(word.length(), start + longest);
        Integer piece = vocabulary.get(word.substring(start, end));
        while (piece == null && end > start + 1) {
          end--;
          piece = vocabulary.get(word.substring(start, end));
        }
        if (piece == null) {
          count = begin;
          put(unknown);
          return;
        }
        put(piece);
        start = end;
      }
    }

    private void put(int id) {
      if (count == ids.length) {
        ids = Arrays.copyOf(ids, 2 * count);
      }
      ids[count++] = id;
    }
  }

  private static void words(String text, Words found) {
    StringBuilder word = new StringBuilder();
    int at = 0;
    while (at < text.length()) {
      int character = text.codePointAt(at);
      int end = at + Character.charCount(character);
      if (isSpace(character)) {
        if (!flush(word, at, found)) {
          return;
        }
      } else if (isChinese(character)) {
        if (!flush(word, at, found) || !found.word(decomposed(character), end)) {
          return;
        }
      } else if (character < 0x80) {
        if (!letter(Character.toLowerCase(character), word, at, end, found)) {
          return;
        }
      } else if (!isControl(character)) {
        String parts = decomposed(character);
        for (int i = 0; i < parts.length(); i += Character.charCount(parts.codePointAt(i))) {
          int part = parts.codePointAt(i);
          if (Character.getType(part) != Character.NON_SPACING_MARK
              && !letter(Character.toLowerCase(part), word, at, end, found)) {
            return;
          }
        }
      }
      at = end;
    }
    flush(word, text.length(), found);
  }

  private static String decomposed(int character) {
    return Normalizer.normalize(Character.toString(character), Normalizer.Form.NFD);
  }

  /** Adds a character to the word, or ends the word at a punctuation mark. */
  private static boolean letter(int character, StringBuilder word, int at, int end, Words found) {
    if (character < 0x80 && isControl(character)) {
      return true;
    }
    if (isPunctuation(character)) {
      return flush(word, at, found) && found.word(Character.toString(character), end);
    }
    word.appendCodePoint(character);
    return true;
  }

  private static boolean flush(StringBuilder word, int end, Words found) {
    if (word.isEmpty()) {
      return true;
    }
    boolean more = found.word(word, end);
    word.setLength(0);
    return more;
  }

  private static boolean isSpace(int character) {
    return character == ' '
        || character == '\t'
        || character == '\n'
        || character == '\r'
        || (character >= 0x80 && Character.isSpaceChar(character));
  }

  private static boolean isControl(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE, Character.SURROGATE -> true;
      default -> character == REPLACEMENT;
    };
  }

  private static boolean isPunctuation(int character) {
    if (character < 0x80) {
      return character > ' ' && !Character.isLetterOrDigit(character);
    }
    return switch (Character.getType(character)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  /** The blocks that BERT's authors chose; Japanese and Korean letters are not among them. */
  private static boolean isChinese(int character) {
    return (character >= 0x4E00 && character <= 0x9FFF)
        || (character >= 0x3400 && character <= 0x4DBF)
        || (character >= 0x20000 && character <= 0x2A6DF)
        || (character >= 0x2A700 && character <= 0x2B73F)
        || (character >= 0x2B740 && character <= 0x2B81F)
        || (character >= 0x2B920 && character <= 0x2CEAF)
        || (character >= 0xF900 && character <= 0xFAFF)
        || (character >= 0x2F800 && character <= 0x2FA1F);
  }
}
