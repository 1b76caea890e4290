package dev.jarvis.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.chaos.Audit.Budget;
import dev.jarvis.chaos.Audit.Call;
import dev.jarvis.chaos.Audit.Generated;
import dev.jarvis.chaos.Books.Sum;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The audit finds what it looks for: each case has one fault, or none. */
class AuditTest {
  private static final Call ANSWERED = call(true, false, false);
  private static final Call CUT_OFF = call(false, true, false);
  private static final Generated MADE = new Generated("1", ModelServer.CHEAP, 11, 20, true);
  private static final Generated HALF_MADE = new Generated("1", ModelServer.CHEAP, 11, 10, false);
  private static final Entry EXACT = entry(3, "ok", "u", 20, "0.051");
  private static final Entry RECOVERED = entry(1, "ok", "u", 30, "0.071");

  private static Call call(boolean answered, boolean mayBeEstimated, boolean mayBeUnasked) {
    return new Call("1", "u", "t", answered, mayBeEstimated, mayBeUnasked, 5, 60);
  }

  private static Entry entry(int rank, String outcome, String user, long output, String cost) {
    return new Entry("1", rank, rank < 3, outcome, user, "t", 11, output, new BigDecimal(cost));
  }

  static Stream<Arguments> cases() {
    return Stream.of(
        Arguments.of("", ANSWERED, MADE, List.of(EXACT)),
        Arguments.of("", CUT_OFF, HALF_MADE, List.of(RECOVERED)),
        Arguments.of("", CUT_OFF, null, List.of()),
        Arguments.of("", call(false, true, true), null, List.of(RECOVERED)),
        Arguments.of("no entry", ANSWERED, MADE, List.of()),
        Arguments.of("no entry", CUT_OFF, HALF_MADE, List.of()),
        Arguments.of("a second entry", ANSWERED, MADE, List.of(EXACT, EXACT)),
        Arguments.of("an entry of no call", null, null, List.of(EXACT)),
        Arguments.of("other counts", ANSWERED, MADE, List.of(entry(3, "ok", "u", 21, "0.053"))),
        Arguments.of("did not send", CUT_OFF, HALF_MADE, List.of(EXACT)),
        Arguments.of("a cost other", ANSWERED, MADE, List.of(entry(3, "ok", "u", 20, "0.052"))),
        Arguments.of("another one pays", ANSWERED, MADE, List.of(entry(3, "ok", "v", 20, "0.051"))),
        Arguments.of("did not get", CUT_OFF, null, List.of(RECOVERED)),
        Arguments.of("exact counts were there", ANSWERED, MADE, List.of(RECOVERED)),
        Arguments.of(
            "outside 5 to 60", CUT_OFF, HALF_MADE, List.of(entry(1, "ok", "u", 61, "0.133"))),
        Arguments.of(
            "outside 5 to 60", CUT_OFF, HALF_MADE, List.of(entry(1, "ok", "u", 4, "0.019"))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void entriesAreCompared(String violation, Call call, Generated made, List<Entry> entries) {
    List<String> found =
        Audit.violations(
            call == null ? List.of() : List.of(call),
            made == null ? List.of() : List.of(made),
            new Books(entries, totals(entries)),
            List.of());
    if (violation.isEmpty()) {
      assertThat(found).isEmpty();
    } else {
      assertThat(found).singleElement().asString().contains(violation);
    }
  }

  private static Map<String, Sum> totals(List<Entry> entries) {
    Map<String, Sum> totals = new HashMap<>();
    for (Entry entry : entries) {
      for (String scope : List.of("all/", "user/" + entry.user(), "team/" + entry.team())) {
        totals.put(scope, totals.getOrDefault(scope, Sum.NONE).plus(entry));
      }
    }
    return totals;
  }

  @Test
  void totalsAreCompared() {
    Map<String, Sum> totals = totals(List.of(EXACT));
    totals.put("team/t", new Sum(1, 11, 21, new BigDecimal("0.051")));
    assertThat(
            Audit.violations(
                List.of(ANSWERED), List.of(MADE), new Books(List.of(EXACT), totals), List.of()))
        .singleElement()
        .asString()
        .contains("the total of team/t");
  }

  @Test
  void budgetsMayBeExceededByTheBoundOnly() {
    Books books = new Books(List.of(EXACT), totals(List.of(EXACT)));
    List<Budget> budgets =
        Stream.of("0.051", "0.041", "0.040")
            .map(it -> new Budget("t", new BigDecimal(it), new BigDecimal("0.01")))
            .toList();
    assertThat(Audit.violations(List.of(ANSWERED), List.of(MADE), books, budgets))
        .singleElement()
        .asString()
        .contains("limit=0.040");
  }
}
