package dev.jarvis.http.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Which clients are disconnected. */
class WritePatienceTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int PIECE = 64 << 10;

  private final WritePatience patience = new WritePatience(LIMIT);

  private void wrote(int bytes, Duration took) {
    patience.wrote(bytes, took.toNanos());
  }

  @Test
  void aClientThatReadsEachPieceJustInTimeIsDisconnected() {
    wrote(PIECE, Duration.ofSeconds(29));

    assertThat(patience.left()).isBetween(Duration.ofMillis(4990), Duration.ofSeconds(5));
  }

  @Test
  void aClientThatReadsAtTheMinimumRateIsServedToTheEnd() {
    for (int i = 0; i < 10_000; i++) {
      wrote(PIECE, Duration.ofSeconds(PIECE / WritePatience.LEAST_BYTES_PER_SECOND).minusMillis(1));
    }

    assertThat(patience.left()).isEqualTo(LIMIT);
  }

  @Test
  void readingFastRestoresNoMoreThanTheLimit() {
    wrote(100 << 20, Duration.ofSeconds(1));

    assertThat(patience.left()).isEqualTo(LIMIT);
  }

  @Test
  void smallEventsRestoreLittle() {
    for (int i = 0; i < 40; i++) {
      wrote(100, Duration.ofSeconds(1));
    }

    assertThat(patience.left()).isEqualTo(Duration.ZERO);
  }

  @Test
  void theNextResponseStartsWithTheFullLimit() {
    wrote(0, LIMIT.plusSeconds(1));
    assertThat(patience.left()).isEqualTo(Duration.ZERO);

    patience.renew();

    assertThat(patience.left()).isEqualTo(LIMIT);
  }
}
