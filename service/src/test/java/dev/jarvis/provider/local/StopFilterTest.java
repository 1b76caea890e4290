package dev.jarvis.provider.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopFilterTest {
  private final StringBuilder text = new StringBuilder();

  private StopFilter feed(List<String> stops, String... pieces) {
    StopFilter filter = new StopFilter(stops);
    for (String piece : pieces) {
      text.append(filter.accept(piece));
      if (filter.stopped()) {
        return filter;
      }
    }
    text.append(filter.rest());
    return filter;
  }

  @Test
  void passesEverythingWithoutStopSequences() {
    assertThat(feed(List.of(), "a", "b\n").stopped()).isFalse();
    assertThat(text).hasToString("ab\n");
  }

  @Test
  void endsBeforeAStopSequenceInSeveralPieces() {
    assertThat(feed(List.of("<|im_end|>"), "Hi <", "|im", "_end|", "> more").stopped()).isTrue();
    assertThat(text).hasToString("Hi ");
  }

  @Test
  void holdsBackTextThatMayBeginAStopSequence() {
    StopFilter filter = new StopFilter(List.of("END"));

    assertThat(filter.accept("the EN")).isEqualTo("the ");
    assertThat(filter.accept("D")).isEmpty();
    assertThat(filter.stopped()).isTrue();
    assertThat(feed(List.of("END"), "the EN", "EMY EN").stopped()).isFalse();
    assertThat(text).hasToString("the ENEMY EN");
  }

  @Test
  void endsAtTheEarliestStopSequence() {
    assertThat(feed(List.of("ccc", "b"), "aabccc").stopped()).isTrue();
    assertThat(text).hasToString("aa");
  }

  @Test
  void findsAStopSequenceAfterARepeatedPrefix() {
    assertThat(feed(List.of("aab"), "a", "a", "a", "a", "b").stopped()).isTrue();
    assertThat(text).hasToString("aa");
  }
}
