package dev.jarvis.document;

import dev.jarvis.document.extract.Section;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Divides text into passages at the ends of sentences. Consecutive passages overlap, so that text
 * around a cut is found too. A passage never spans two pages, so that a citation can name its page.
 * With its headings it is never longer than the configured length, nor than what the embedding
 * model reads, so that each word of it counts in its vector.
 */
final class Chunker {
  /** At most this fraction of a passage is repeated in the next. */
  private static final int OVERLAP_DIVISOR = 6;

  /** At most this fraction of a passage is headings. */
  private static final int HEADING_DIVISOR = 4;

  private final int maxChars;
  private final @Nullable EmbeddingWindow window;

  /**
   * @param maxTokens of a passage, at four characters each
   * @param window null if the embedding model's is not known, or there is none
   */
  Chunker(int maxTokens, @Nullable EmbeddingWindow window) {
    this.maxChars = Chunk.characters(maxTokens);
    this.window = window;
  }

  /** A place where a text may be divided, and how many tokens of the embedding model precede it. */
  private record End(int at, int tokens) {
    static final End START = new End(0, 0);

    boolean within(Room room, End start) {
      return at - start.at <= room.chars && tokens - start.tokens <= room.tokens;
    }
  }

  /** What is left of a passage below its headings. */
  private record Room(int chars, int tokens) {}

  List<Chunk> chunks(List<Section> sections) {
    List<Chunk> chunks = new ArrayList<>();
    for (Section section : sections) {
      String heading = heading(section.heading());
      String above = heading.isEmpty() ? "" : heading + "\n";
      int tokens = window == null ? 0 : window.tokens() - window.count(above);
      Room room = new Room(maxChars - above.length(), tokens);
      cut(
          section,
          room,
          passage -> {
            int ordinal = chunks.size();
            chunks.add(new Chunk(ordinal, section.page(), heading, passage, Chunk.tokens(passage)));
          });
    }
    return chunks;
  }

  /** Without the outermost headings, if they are too long; a single one is cut. */
  private String heading(String headings) {
    String heading = headings;
    int inner = heading.indexOf(Section.HEADING_SEPARATOR);
    while (inner >= 0 && fitting(heading) < heading.length()) {
      heading = heading.substring(inner + Section.HEADING_SEPARATOR.length());
      inner = heading.indexOf(Section.HEADING_SEPARATOR);
    }
    int fits = fitting(heading);
    return fits < heading.length() ? heading.substring(0, whole(heading, fits)).strip() : heading;
  }

  /** How many characters of a heading may stand in a passage. */
  private int fitting(String heading) {
    String begin = heading.substring(0, Math.min(heading.length(), maxChars / HEADING_DIVISOR));
    return window == null ? begin.length() : window.fit(begin, window.tokens() / HEADING_DIVISOR);
  }

  private void cut(Section section, Room room, Consumer<String> passages) {
    String text = section.text();
    List<End> ends = ends(section, room);
    End start = End.START; // of the current passage
    int next = 0; // index of the first end that is in no passage yet
    while (next < ends.size()) {
      int last = next;
      while (last + 1 < ends.size() && ends.get(last + 1).within(room, start)) {
        last++;
      }
      if (section.lines() && last + 1 < ends.size()) {
        last = block(text, ends, next, last);
      }
      End end = ends.get(last);
      String passage = text.substring(start.at, end.at).strip();
      if (!passage.isEmpty()) {
        passages.accept(passage);
      }
      next = last + 1;
      start = end;
      if (section.lines()) {
        continue; // a repeated row would be found twice
      }
      // overlap by whole sentences, if the next sentence still fits
      End following = next < ends.size() ? ends.get(next) : end;
      for (int i = last - 1; i >= 0; i--) {
        End candidate = ends.get(i);
        if (end.at - candidate.at > room.chars / OVERLAP_DIVISOR
            || !following.within(room, candidate)) {
          break;
        }
        start = candidate;
      }
    }
  }

  /** Returns the last end before a blank line, unless that is in the passage's first half. */
  private static int block(String text, List<End> ends, int first, int last) {
    for (int i = last; i > first + (last - first) / 2; i--) {
      int at = ends.get(i).at;
      if (at < text.length() && text.charAt(at) == '\n') {
        return i;
      }
    }
    return last;
  }

  /** The ends of sentences or lines; one longer than a passage also ends between its words. */
  private List<End> ends(Section section, Room room) {
    String text = section.text();
    BreakIterator words = BreakIterator.getWordInstance(Locale.ROOT);
    List<End> ends = new ArrayList<>();
    End last = End.START;
    for (int end : section.lines() ? lineEnds(text) : sentenceEnds(text)) {
      while (last.at < end) {
        last = next(text, last, end, room, words);
        ends.add(last);
      }
    }
    return ends;
  }

  private static int[] sentenceEnds(String text) {
    BreakIterator sentences = BreakIterator.getSentenceInstance(Locale.ROOT);
    sentences.setText(text);
    IntStream.Builder ends = IntStream.builder();
    for (int end = sentences.next(); end != BreakIterator.DONE; end = sentences.next()) {
      ends.add(end);
    }
    return ends.build().toArray();
  }

  private static int[] lineEnds(String text) {
    IntStream.Builder ends = IntStream.builder();
    for (int start = 0; start < text.length(); ) {
      int end = text.indexOf('\n', start) + 1;
      start = end == 0 ? text.length() : end;
      ends.add(start);
    }
    return ends.build().toArray();
  }

  private End next(String text, End start, int end, Room room, BreakIterator words) {
    String part = text.substring(start.at, Math.min(end, start.at + room.chars));
    int tokens = count(part);
    if (start.at + part.length() == end && tokens <= room.tokens) {
      return new End(end, start.tokens + tokens);
    }
    int fits =
        window == null || tokens <= room.tokens ? part.length() : window.fit(part, room.tokens);
    // only what a passage can hold: the iterator would scan a word as long as the text
    words.setText(text.substring(start.at, start.at + fits + 1));
    int boundary = words.preceding(fits + 1);
    // one word may fill the passage
    String cut = part.substring(0, boundary > 0 ? boundary : whole(part, fits));
    return new End(start.at + cut.length(), start.tokens + count(cut));
  }

  private int count(String text) {
    return window == null ? 0 : window.count(text);
  }

  /**
   * The given length, or one less so as not to divide a surrogate pair, but at least a character.
   */
  private static int whole(String text, int length) {
    int divided = length > 0 && Character.isHighSurrogate(text.charAt(length - 1)) ? 1 : 0;
    return Math.max(Character.charCount(text.codePointAt(0)), length - divided);
  }
}
