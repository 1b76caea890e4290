package dev.jarvis.chaos;

import dev.jarvis.chaos.Books.Sum;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Compares the books with what the clients saw and what the model server counted, and lists every
 * promise that is broken.
 */
final class Audit {
  private static final Map<String, Long> PRICE_FACTORS =
      Map.of(ModelServer.CHEAP, 1L, ModelServer.DEAR, 3L);

  private final List<String> violations = new ArrayList<>();

  private Audit() {}

  /**
   * A call of a client.
   *
   * @param answered whether the whole answer arrived
   * @param mayBeEstimated whether its exact counts may be lost: it was cut off, or the spool was
   *     lost that held them
   * @param mayBeUnasked whether it may have an entry although the model server did not get it: its
   *     replica died, or its client left while it was sent
   * @param least the output tokens that an estimate must have, which a checkpoint recorded
   * @param maxTokens the output tokens that it allowed
   */
  record Call(
      String requestId,
      String user,
      String team,
      boolean answered,
      boolean mayBeEstimated,
      boolean mayBeUnasked,
      long least,
      long maxTokens) {

    /** The same call, whose exact counts must be there. */
    Call exact() {
      return new Call(requestId, user, team, answered, false, mayBeUnasked, least, maxTokens);
    }
  }

  /**
   * What the model server did for a call.
   *
   * @param reported whether it sent the counts
   */
  record Generated(String requestId, String model, long input, long output, boolean reported) {}

  /**
   * A hard budget of a team.
   *
   * @param overshoot the most by which calls in flight can exceed it
   */
  record Budget(String team, BigDecimal limit, BigDecimal overshoot) {}

  /** Returns a sentence for each promise that is broken. */
  static List<String> violations(
      List<Call> calls, List<Generated> generated, Books books, List<Budget> budgets) {
    Audit audit = new Audit();
    audit.checkEntries(
        calls.stream().collect(Collectors.toMap(Call::requestId, Function.identity())),
        generated.stream().collect(Collectors.toMap(Generated::requestId, Function.identity())),
        books.entries());
    audit.checkTotals(books);
    audit.checkBudgets(books, budgets);
    return audit.violations;
  }

  private void checkEntries(
      Map<String, Call> calls, Map<String, Generated> generated, List<Entry> entries) {
    Set<String> seen = new HashSet<>();
    for (Entry entry : entries) {
      Call call = calls.get(entry.requestId());
      if (call == null) {
        add("an entry of no call: %s".formatted(entry));
      } else if (!seen.add(entry.requestId())) {
        add("a second entry of one call: %s".formatted(entry));
      } else {
        check(call, generated.get(entry.requestId()), entry);
      }
    }
    for (Call call : calls.values()) {
      boolean asked = generated.containsKey(call.requestId());
      if (!seen.contains(call.requestId()) && (call.answered() || asked)) {
        add("no entry: %s, model server: %s".formatted(call, generated.get(call.requestId())));
      }
    }
  }

  private void check(Call call, @Nullable Generated made, Entry entry) {
    if (!entry.user().equals(call.user()) || !entry.team().equals(call.team())) {
      add("another one pays: %s for %s".formatted(entry, call));
    }
    if (entry.exact() && entry.outcome().equals("ok")) {
      checkExact(made, entry);
    } else if (made == null) {
      if (entry.output() > 0 && !call.mayBeUnasked()) {
        add("output of a call that the model server did not get: %s".formatted(entry));
      }
    } else if (call.answered() && !call.mayBeEstimated()) {
      add("an estimate where exact counts were there: %s, model server: %s".formatted(entry, made));
    } else if (entry.output() < call.least() || entry.output() > call.maxTokens()) {
      add("an estimate outside %d to %d: %s".formatted(call.least(), call.maxTokens(), entry));
    }
  }

  private void checkExact(@Nullable Generated made, Entry entry) {
    if (made == null || !made.reported()) {
      add(
          "exact counts that the model server did not send: %s, model server: %s"
              .formatted(entry, made));
    } else if (entry.input() != made.input() || entry.output() != made.output()) {
      add("other counts than the model server's: %s, model server: %s".formatted(entry, made));
    } else if (entry.cost().compareTo(cost(made)) != 0) {
      add("a cost other than %s: %s".formatted(cost(made), entry));
    }
  }

  private static BigDecimal cost(Generated made) {
    long thousandths =
        (made.input() + 2 * made.output()) * PRICE_FACTORS.getOrDefault(made.model(), 0L);
    return BigDecimal.valueOf(thousandths, 3);
  }

  private void checkTotals(Books books) {
    Map<String, Sum> sums = new HashMap<>();
    for (Entry entry : books.entries()) {
      for (String scope : List.of("all/", "user/" + entry.user(), "team/" + entry.team())) {
        sums.put(scope, sums.getOrDefault(scope, Sum.NONE).plus(entry));
      }
    }
    sums.forEach(
        (scope, sum) -> {
          Sum total = books.totals().getOrDefault(scope, Sum.NONE);
          if (!scope.equals("team/") && !total.equalTo(sum)) {
            add("the total of %s is %s; the sum of its entries is %s".formatted(scope, total, sum));
          }
        });
  }

  private void checkBudgets(Books books, List<Budget> budgets) {
    for (Budget budget : budgets) {
      BigDecimal used =
          books.entries().stream()
              .filter(it -> it.team().equals(budget.team()))
              .map(Entry::cost)
              .reduce(BigDecimal.ZERO, BigDecimal::add);
      if (used.compareTo(budget.limit().add(budget.overshoot())) > 0) {
        add("%s used %s, more than the overshoot allows".formatted(budget, used));
      }
    }
  }

  private void add(String violation) {
    violations.add(violation);
  }
}
