package dev.jarvis.document.extract;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.tika.parser.txt.CharsetDetector;
import org.apache.tika.parser.txt.CharsetMatch;
import org.jspecify.annotations.Nullable;
import org.mozilla.universalchardet.UniversalDetector;

/**
 * Guesses the encoding of text that is not Unicode. Two detectors, Mozilla's and ICU's, are each
 * right for other scripts, and neither reports when it is wrong; so what they propose, and what
 * they do not know, must also read as words of a language (see {@link Spelling}).
 */
final class LegacyCharsets {
  /** Of the lines with other than ASCII characters; more would not change the result. */
  private static final int SAMPLE_BYTES = 32 << 10;

  /** A greater part of wrong characters is no text of the encoding. */
  private static final double MAX_WRONG = 0.12;

  /** Differences below these do not distinguish encodings; the detectors do. */
  private static final double SAME_WRONG = 0.15;

  private static final double SAME_PART = 0.002;

  private LegacyCharsets() {}

  private record Guess(Writing writing, String text, Spelling.Errors errors) {}

  /** Returns null if there is no good guess. */
  static @Nullable Charset detect(byte[] bytes) {
    byte[] sample = sample(bytes);
    List<Guess> guesses = new ArrayList<>();
    for (Writing writing : Writing.ALL) {
      String text = new String(sample, writing.charset());
      guesses.add(new Guess(writing, text, Spelling.check(text, writing)));
    }
    // stable: of equal ones, that of the usual encoding
    guesses.sort(Comparator.comparingDouble(it -> it.errors.part()));
    Guess best = guesses.getFirst();
    if (best.errors.part() > MAX_WRONG) {
      return null;
    }
    List<Guess> equal =
        guesses.stream()
            .filter(
                it ->
                    it.errors.wrong() <= best.errors.wrong() + SAME_WRONG
                        || it.errors.part() <= best.errors.part() + SAME_PART)
            .toList();
    if (equal.stream().allMatch(it -> it.text.equals(best.text))) {
      return best.writing.charset();
    }
    for (String proposed : proposals(sample)) {
      Charset charset = TextDecoder.charset(proposed);
      if (charset != null) {
        String text = new String(sample, TextDecoder.superset(charset));
        for (Guess it : equal) {
          if (it.text.equals(text)) {
            return usual(it, equal);
          }
        }
      }
    }
    return best.writing.charset();
  }

  /** The detectors do not always distinguish two encodings of the same languages. */
  private static Charset usual(Guess proposed, List<Guess> equal) {
    return equal.stream()
        .filter(it -> it.writing.alphabets().equals(proposed.writing.alphabets()))
        .filter(it -> !it.writing.hasIdeographs() || it.equals(proposed))
        .findFirst()
        .orElse(proposed)
        .writing
        .charset();
  }

  private static List<String> proposals(byte[] sample) {
    List<String> proposals = new ArrayList<>();
    UniversalDetector mozilla = new UniversalDetector();
    mozilla.handleData(sample);
    mozilla.dataEnd();
    String found = mozilla.getDetectedCharset();
    CharsetDetector icu = new CharsetDetector(SAMPLE_BYTES);
    icu.setText(sample);
    for (CharsetMatch match : icu.detectAll()) {
      proposals.add(match.getName());
    }
    if (found != null) {
      proposals.add(found.startsWith("WINDOWS-1252") ? proposals.size() : 0, found);
    }
    return proposals;
  }

  /** Returns the lines with other than ASCII characters. */
  private static byte[] sample(byte[] bytes) {
    byte[] sample = new byte[Math.min(bytes.length, SAMPLE_BYTES)];
    int length = 0;
    int start = 0;
    boolean ascii = true;
    for (int i = 0; i < bytes.length && length < sample.length; i++) {
      ascii &= bytes[i] >= 0;
      if (bytes[i] == '\n' || i == bytes.length - 1) {
        if (!ascii) {
          int copied = Math.min(i + 1 - start, sample.length - length);
          System.arraycopy(bytes, start, sample, length, copied);
          length += copied;
        }
        start = i + 1;
        ascii = true;
      }
    }
    return Arrays.copyOf(sample, length);
  }
}
