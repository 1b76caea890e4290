package dev.jarvis.limit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SlidingWindowTest {
  @Test
  void addingAloneRemembersNoMoreThanAMinute() {
    SlidingWindow window = new SlidingWindow();
    for (int second = 0; second < 200; second++) {
      window.add(second, 1);
    }
    assertThat(window.size()).isEqualTo(61);
    assertThat(window.used(199_999)).isEqualTo(61);
  }
}
