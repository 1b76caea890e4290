package dev.jarvis.document;

import dev.jarvis.document.extract.Section;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Divides text into passages at the ends of sentences. Consecutive passages overlap, so that text
 * around a cut is found too. A passage never spans two pages, so that a citation can name its page.
 */
final class Chunker {
  /** At most this fraction of a passage is repeated in the next. */
  private static final int OVERLAP_DIVISOR = 6;

  private final int maxChars;

  Chunker(int maxTokens) {
    this.maxChars = Chunk.characters(maxTokens);
  }

  List<Chunk> chunks(List<Section> sections) {
    List<Chunk> chunks = new ArrayList<>();
    for (Section section : sections) {
      cut(section, chunks);
    }
    return chunks;
  }

  private void cut(Section section, List<Chunk> chunks) {
    String text = section.text();
    int[] ends = section.lines() ? lineEnds(text) : ends(text);
    int start = 0; // of the current passage
    int next = 0; // index of the first end that is in no passage yet
    while (next < ends.length) {
      int last = next;
      while (last + 1 < ends.length && ends[last + 1] - start <= maxChars) {
        last++;
      }
      if (section.lines() && last + 1 < ends.length) {
        last = block(text, ends, next, last);
      }
      int end = ends[last];
      String passage = text.substring(start, end).strip();
      if (!passage.isEmpty()) {
        chunks.add(
            new Chunk(
                chunks.size(), section.page(), section.heading(), passage, Chunk.tokens(passage)));
      }
      next = last + 1;
      start = end;
      if (section.lines()) {
        continue; // a repeated row would be found twice
      }
      // overlap by whole sentences, if the next sentence still fits
      int following = next < ends.length ? ends[next] : end;
      for (int i = last - 1; i >= 0; i--) {
        int candidate = ends[i];
        if (end - candidate > maxChars / OVERLAP_DIVISOR || following - candidate > maxChars) {
          break;
        }
        start = candidate;
      }
    }
  }

  /** Returns the last end before a blank line, unless that is in the passage's first half. */
  private static int block(String text, int[] ends, int first, int last) {
    for (int i = last; i > first + (last - first) / 2; i--) {
      if (ends[i] < text.length() && text.charAt(ends[i]) == '\n') {
        return i;
      }
    }
    return last;
  }

  /** The ends of lines; a line longer than a passage also ends between its words. */
  private int[] lineEnds(String text) {
    IntStream.Builder ends = IntStream.builder();
    for (int start = 0; start < text.length(); ) {
      int end = text.indexOf('\n', start) + 1;
      end = end == 0 ? text.length() : end;
      addWords(text, start, end, ends);
      start = end;
    }
    return ends.build().toArray();
  }

  /** The ends of sentences; a sentence longer than a passage also ends between its words. */
  private int[] ends(String text) {
    BreakIterator sentences = BreakIterator.getSentenceInstance(Locale.ROOT);
    sentences.setText(text);
    IntStream.Builder ends = IntStream.builder();
    int start = sentences.first();
    for (int end = sentences.next(); end != BreakIterator.DONE; end = sentences.next()) {
      addWords(text, start, end, ends);
      start = end;
    }
    return ends.build().toArray();
  }

  private void addWords(String text, int from, int end, IntStream.Builder ends) {
    int start = from;
    if (end - start > maxChars) {
      BreakIterator words = BreakIterator.getWordInstance(Locale.ROOT);
      while (end - start > maxChars) {
        // only what a passage can hold: the iterator would scan a word as long as the text
        words.setText(text.substring(start, start + maxChars + 1));
        int cut = start + words.preceding(maxChars + 1);
        if (cut <= start) { // one word fills the passage; do not divide a surrogate pair
          cut = start + maxChars;
          cut -= Character.isHighSurrogate(text.charAt(cut - 1)) ? 1 : 0;
        }
        ends.add(cut);
        start = cut;
      }
    }
    ends.add(end);
  }
}
