package dev.jarvis.chaos;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Combinations of the values of several factors: all of them, or few in which every pair of values
 * of two factors occurs.
 */
final class Pairwise {
  private static final int CANDIDATES = 30;

  private Pairwise() {}

  /** A value of one factor beside a value of another one, by their indexes. */
  private record Pair(int factor, int value, int otherFactor, int otherValue) {}

  /**
   * Returns rows of indexes of values, one for each factor.
   *
   * @param sizes the number of values of each factor
   */
  static List<int[]> rows(Random random, int... sizes) {
    Set<Pair> open = new HashSet<>();
    for (int[] row : product(sizes)) {
      open.addAll(pairs(row));
    }
    List<int[]> rows = new ArrayList<>();
    while (!open.isEmpty()) {
      int[] row = best(random, open, sizes);
      open.removeAll(pairs(row));
      rows.add(row);
    }
    return rows;
  }

  /** The best of some random rows, each with a pair that is open. */
  private static int[] best(Random random, Set<Pair> open, int... sizes) {
    Pair wanted = open.stream().skip(random.nextInt(open.size())).findFirst().orElseThrow();
    int[] best = null;
    long most = -1;
    for (int i = 0; i < CANDIDATES; i++) {
      int[] row = new int[sizes.length];
      for (int factor = 0; factor < sizes.length; factor++) {
        row[factor] = random.nextInt(sizes[factor]);
      }
      row[wanted.factor] = wanted.value;
      row[wanted.otherFactor] = wanted.otherValue;
      long covered = pairs(row).stream().filter(open::contains).count();
      if (covered > most) {
        most = covered;
        best = row;
      }
    }
    return best;
  }

  /** Every row. */
  static List<int[]> product(int... sizes) {
    List<int[]> rows = new ArrayList<>();
    rows.add(new int[sizes.length]);
    for (int factor = 0; factor < sizes.length; factor++) {
      List<int[]> more = new ArrayList<>();
      for (int[] row : rows) {
        for (int value = 0; value < sizes[factor]; value++) {
          int[] copy = row.clone();
          copy[factor] = value;
          more.add(copy);
        }
      }
      rows = more;
    }
    return rows;
  }

  private static Set<Pair> pairs(int[] row) {
    Set<Pair> pairs = new HashSet<>();
    for (int i = 0; i < row.length; i++) {
      for (int j = i + 1; j < row.length; j++) {
        pairs.add(new Pair(i, row[i], j, row[j]));
      }
    }
    return pairs;
  }
}
