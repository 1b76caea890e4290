package dev.jarvis.budget;

import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.Origin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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
  private volatile Map<UUID, Budget> byId = Map.of();

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
    Map<Owner, List<Budget>> owners = new HashMap<>();
    Map<UUID, Budget> ids = new HashMap<>();
    for (Budget budget : budgets.subList(0, Math.min(budgets.size(), MAX_BUDGETS))) {
      ids.put(budget.id(), budget);
      owners
          .computeIfAbsent(new Owner(budget.scope(), budget.scopeId()), _ -> new ArrayList<>(1))
          .add(budget);
    }
    owners.replaceAll((_, its) -> List.copyOf(its));
    byId = ids;
    byOwner = owners;
  }

  @Nullable Budget find(UUID id) {
    return byId.get(id);
  }

  /** The budgets that a caller's calls count in. */
  public List<Budget> of(Caller caller) {
    return of(caller.teamId(), caller.userId(), caller.keyId());
  }

  /** The budgets that a call counts in. */
  List<Budget> of(Origin origin) {
    return of(origin.teamId(), origin.userId(), origin.keyId());
  }

  private List<Budget> of(@Nullable String team, String user, @Nullable String key) {
    Map<Owner, List<Budget>> known = byOwner;
    if (known.isEmpty()) {
      return List.of();
    }
    List<Budget> budgets = new ArrayList<>();
    add(known, budgets, Scope.ALL, "");
    add(known, budgets, Scope.TEAM, team);
    add(known, budgets, Scope.USER, user);
    add(known, budgets, Scope.KEY, key);
    return budgets;
  }

  private static void add(
      Map<Owner, List<Budget>> known, List<Budget> budgets, Scope scope, @Nullable String id) {
    if (id != null) {
      budgets.addAll(known.getOrDefault(new Owner(scope, id), List.of()));
    }
  }
}
