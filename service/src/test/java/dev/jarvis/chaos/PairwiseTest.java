package dev.jarvis.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PairwiseTest {
  private static final int[] SIZES = {4, 7, 3, 2};

  @Test
  void everyPairOccursInFewRows() {
    List<int[]> rows = Pairwise.rows(new Random(1), SIZES);
    for (int i = 0; i < SIZES.length; i++) {
      for (int j = i + 1; j < SIZES.length; j++) {
        int first = i;
        int second = j;
        assertThat(rows.stream().map(it -> it[first] + "/" + it[second]).distinct())
            .hasSize(SIZES[i] * SIZES[j]);
      }
    }
    assertThat(rows).hasSizeLessThan(50); // of 168
  }

  @Test
  void theSameSeedGivesTheSameRows() {
    assertThat(Pairwise.rows(new Random(5), SIZES))
        .usingRecursiveComparison()
        .isEqualTo(Pairwise.rows(new Random(5), SIZES));
  }

  @Test
  void theProductHasEveryRow() {
    assertThat(Pairwise.product(SIZES).stream().map(it -> List.of(it[0], it[1], it[2], it[3])))
        .doesNotHaveDuplicates()
        .hasSize(168);
  }
}
