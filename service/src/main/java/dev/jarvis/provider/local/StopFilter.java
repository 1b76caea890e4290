package dev.jarvis.provider.local;

import java.util.List;

/**
 * Ends a text at the first stop sequence; holds back text that may be the beginning of one. (The
 * binding's own filter loses the held text when the token limit ends the answer.)
 */
final class StopFilter {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  StopFilter(List<String> stops) {
    this.stops = stops.stream().filter(stop -> !stop.isEmpty()).toList();
  }

  /** Adds a piece and returns the text that can be sent now; may be empty. */
  String accept(String piece) {
    held.append(piece);
    int found = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      found = at < 0 ? found : Math.min(found, at);
    }
    stopped = found < Integer.MAX_VALUE;
    String text = held.substring(0, stopped ? found : held.length() - openSuffix());
    held.delete(0, stopped ? held.length() : text.length());
    return text;
  }

  /** Whether a stop sequence was found: the text ends there. */
  boolean stopped() {
    return stopped;
  }

  /** The held text; must be sent if the answer ends without a stop sequence. */
  String rest() {
    String text = held.toString();
    held.setLength(0);
    return text;
  }

  /** The length of the longest suffix of the held text that is a prefix of a stop sequence. */
  private int openSuffix() {
    int longest = 0;
    for (String stop : stops) {
      for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
        if (stop.startsWith(held.substring(held.length() - length))) {
          longest = length;
        }
      }
    }
    return longest;
  }
}
