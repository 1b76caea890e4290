package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describe;
import static dev.jarvis.admin.AdminEndpoints.describeOne;
import static dev.jarvis.admin.AdminEndpoints.reported;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.budget.Budget;
import dev.jarvis.budget.Budget.Period;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.budget.BudgetBook;
import dev.jarvis.budget.BudgetStore;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.id.UuidV7;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import io.helidon.dbclient.DbExecute;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code /v1/admin/budgets}. */
final class BudgetRoutes {
  private static final String PATH = "/v1/admin/budgets";
  private static final String BUDGET = "admin/Budget";

  private final Database database;
  private final Changes changes;
  private final ZoneId zone;

  /**
   * @param zone in which days and months begin
   */
  BudgetRoutes(Database database, Changes changes, ZoneId zone) {
    this.database = database;
    this.changes = changes;
    this.zone = zone;
  }

  /** A budget and what it has used. */
  private record Used(Budget budget, BigDecimal usd) {}

  void register(Routes routes) {
    String one = PATH + "/{id}";
    routes
        .addJson(
            describe(
                    Endpoint.post(PATH, Access.ADMIN),
                    "createBudget",
                    "Creates a budget of a team, a user, a key or all calls together.")
                .body("admin/BudgetCreation")
                .answer(200, "The budget.", BUDGET)
                .errors(409),
            reported(this::create))
        .add(
            describe(Endpoint.get(PATH, Access.ADMIN), "listBudgets", "Lists budgets.")
                .query("admin/BudgetListQuery")
                .answer(200, "A page of budgets.", "admin/BudgetList"),
            DatabaseErrors.reported(this::list))
        .add(
            describeOne(
                    Endpoint.get(one, Access.ADMIN),
                    "budget",
                    "retrieveBudget",
                    "Returns a budget with its use in the current period.")
                .answer(200, "The budget and its use.", "admin/UsedBudget"),
            DatabaseErrors.reported(this::get))
        .addJson(
            describeOne(
                    Endpoint.patch(one, Access.ADMIN),
                    "budget",
                    "updateBudget",
                    "Changes a budget: a field that is absent keeps its value.")
                .body("admin/BudgetUpdate")
                .answer(200, "The budget.", BUDGET),
            reported(this::update))
        .add(
            describeOne(
                    Endpoint.delete(one, Access.ADMIN),
                    "budget",
                    "deleteBudget",
                    "Deletes a budget.")
                .answer(200, "The budget is deleted.", "admin/BudgetDeletion"),
            DatabaseErrors.reported(this::delete));
  }

  private void create(ObjectNode body, ServerRequest request, ServerResponse response) {
    BigDecimal limit = BudgetFields.limit(body);
    Scope scope = Scope.of(body.path("scope").textValue());
    Period period = Period.of(body.path("period").textValue());
    boolean hard = body.path("hard").asBoolean(true);
    Budget budget =
        changes.make(
            Exchange.of(request),
            db -> {
              String scopeId = BudgetFields.scopeId(db, scope, body);
              requireRoom(db);
              Budget created =
                  BudgetStore.insert(UuidV7.next(), scope, scopeId, period, limit, hard)
                      .apply(db)
                      .orElseThrow(() -> exists(scope, scopeId, period));
              return change(Action.BUDGET_CREATE, null, created);
            });
    JsonResponse.send(response, AdminObject.budget(budget));
  }

  private static void requireRoom(DbExecute db) {
    if (BudgetStore.count().apply(db) >= BudgetBook.MAX_BUDGETS) {
      throw new ApiException.Conflict(
          "There are %d budgets, which is the maximum.".formatted(BudgetBook.MAX_BUDGETS),
          null,
          "too_many_budgets");
    }
  }

  private static ApiException exists(Scope scope, String id, Period period) {
    return new ApiException.Conflict(
        "There is a budget of %s with the period '%s' already; change that one."
            .formatted(
                scope == Scope.ALL ? "all calls" : "the %s '%s'".formatted(scope.id(), id),
                period.id()),
        "period",
        "already_exists");
  }

  private void list(ServerRequest request, ServerResponse response) {
    Page page = Listing.byTime(request);
    BudgetStore.Filter filter =
        new BudgetStore.Filter(Listing.query(request, "scope"), Listing.query(request, "scope_id"));
    Listing.send(
        response,
        page,
        database.execute(BudgetStore.list(filter, page)).stream()
            .map(AdminObject::budget)
            .toList());
  }

  private void get(ServerRequest request, ServerResponse response) {
    LocalDate today = LocalDate.ofInstant(Instant.now(), zone);
    Used used =
        database.execute(
            db -> {
              Budget budget = require(db, request);
              LocalDate first = budget.period().first(today);
              return new Used(budget, BudgetStore.usedUsd(budget, first).apply(db));
            });
    ObjectNode json = AdminObject.budget(used.budget());
    json.putObject("use")
        .put("used_usd", AdminObject.usd(used.usd()))
        .put("since", seconds(used.budget().period().first(today)))
        .put("renews_at", seconds(used.budget().period().next(today)));
    JsonResponse.send(response, json);
  }

  private @Nullable Long seconds(@Nullable LocalDate day) {
    return day == null ? null : (Long) day.atStartOfDay(zone).toEpochSecond();
  }

  private void update(ObjectNode body, ServerRequest request, ServerResponse response) {
    BigDecimal limit = body.has("limit_usd") ? BudgetFields.limit(body) : null;
    Budget budget =
        changes.make(
            Exchange.of(request),
            db -> {
              Budget before = require(db, request);
              Budget after =
                  BudgetStore.update(
                          before.id(),
                          limit == null ? before.limitUsd() : limit,
                          body.path("hard").asBoolean(before.hard()))
                      .apply(db)
                      .orElseThrow();
              return change(Action.BUDGET_UPDATE, before, after);
            });
    JsonResponse.send(response, AdminObject.budget(budget));
  }

  private void delete(ServerRequest request, ServerResponse response) {
    Budget budget =
        changes.make(
            Exchange.of(request),
            db -> {
              Budget before = require(db, request);
              var _ = BudgetStore.delete(before.id()).apply(db);
              return change(Action.BUDGET_DELETE, before, null);
            });
    JsonResponse.send(response, AdminObject.deleted(budget.id().toString(), "budget"));
  }

  private static Change<Budget> change(
      Action action, @Nullable Budget before, @Nullable Budget after) {
    Budget result = after == null ? requireNonNull(before) : after;
    return new Change<>(
        action,
        result.id().toString(),
        result.scope() == Scope.USER ? result.scopeId() : null,
        before == null ? null : AdminObject.budget(before),
        after == null ? null : AdminObject.budget(after),
        result);
  }

  private static Budget require(DbExecute db, ServerRequest request) {
    String id = request.path().pathParameters().get("id");
    Optional<Budget> found = Listing.uuid(id).flatMap(it -> BudgetStore.find(it).apply(db));
    return found.orElseThrow(
        () ->
            new ApiException.NotFound(
                "There is no budget with the id '%s'.".formatted(id), "id", "budget_not_found"));
  }
}
