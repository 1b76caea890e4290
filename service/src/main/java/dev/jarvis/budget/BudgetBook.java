package dev.jarvis.budget;

import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.gateway.Caller;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All budgets, in this replica's memory. Thread-safe. */
public final class BudgetBook {
  private static final Logger LOG = LoggerFactory.getLogger(BudgetBook.class);

  /** How many budgets there may be. */
  public static final int MAX_BUDGETS = 100_000;

  private final Supplier<List<Budget>> all;
  private volatile Map<Owner, List<Budget>> byOwner = Map.of();

  private record Owner(Scope scope, String id) {}

  /**
   * @param all reads the budgets, at most one more than the maximum
   */
  public BudgetBook(Supplier<List<Budget>> all) {
    this.all = all;
    reload();
  }

  /** Reads all budgets again. */
  public void reload() {
    List<Budget> budgets = all.get();
    if (budgets.size() > MAX_BUDGETS) {
      LOG.atError()
          .addKeyValue("maximum", MAX_BUDGETS)
          .log("there are too many budgets: the newest ones are ignored");
    }
    Map<Owner, List<Budget>> read = new HashMap<>();
    budgets.stream()
        .limit(MAX_BUDGETS)
        .forEach(
            it ->
                read.computeIfAbsent(new Owner(it.scope(), it.scopeId()), _ -> new ArrayList<>(1))
                    .add(it));
    read.replaceAll((_, its) -> List.copyOf(its));
    byOwner = read;
  }

  /** Every budget. */
  public List<Budget> all() {
    return byOwner.values().stream().flatMap(List::stream).toList();
  }

  /** The budgets that a caller's calls count in. */
  public List<Budget> of(Caller caller) {
    Map<Owner, List<Budget>> known = byOwner;
    if (known.isEmpty()) {
      return List.of();
    }
    List<Budget> budgets = new ArrayList<>();
    add(known, budgets, Scope.ALL, "");
    add(known, budgets, Scope.TEAM, caller.teamId());
    add(known, budgets, Scope.USER, caller.userId());
    add(known, budgets, Scope.KEY, caller.keyId());
    return budgets;
  }

  private static void add(
      Map<Owner, List<Budget>> known, List<Budget> budgets, Scope scope, @Nullable String id) {
    if (id != null) {
      budgets.addAll(known.getOrDefault(new Owner(scope, id), List.of()));
    }
  }
}
