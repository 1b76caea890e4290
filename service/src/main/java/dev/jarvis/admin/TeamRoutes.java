package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describe;
import static dev.jarvis.admin.AdminEndpoints.describeOne;
import static dev.jarvis.admin.AdminEndpoints.reported;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.budget.BudgetStore;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.identity.Identifier;
import dev.jarvis.identity.Team;
import dev.jarvis.identity.TeamStore;
import dev.jarvis.identity.UserStore;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import io.helidon.dbclient.DbExecute;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code /v1/admin/teams}. */
final class TeamRoutes {
  private static final String PATH = "/v1/admin/teams";
  private static final String TEAM = "admin/Team";

  private final Database database;
  private final Changes changes;

  TeamRoutes(Database database, Changes changes) {
    this.database = database;
    this.changes = changes;
  }

  void register(Routes routes) {
    String one = PATH + "/{id}";
    routes
        .addJson(
            describe(Endpoint.post(PATH, Access.ADMIN), "createTeam", "Creates a team.")
                .body("admin/TeamCreation")
                .answer(200, "The team.", TEAM)
                .errors(409),
            reported(this::create))
        .add(
            describe(Endpoint.get(PATH, Access.ADMIN), "listTeams", "Lists the teams.")
                .query("admin/TeamListQuery")
                .answer(200, "A page of teams.", "admin/TeamList"),
            DatabaseErrors.reported(this::list))
        .add(
            describeOne(Endpoint.get(one, Access.ADMIN), "team", "retrieveTeam", "Returns a team.")
                .answer(200, "The team.", TEAM),
            DatabaseErrors.reported(this::get))
        .addJson(
            describeOne(
                    Endpoint.patch(one, Access.ADMIN),
                    "team",
                    "updateTeam",
                    "Changes a team: a field that is absent keeps its value, and null clears it.")
                .body("admin/TeamUpdate")
                .answer(200, "The team.", TEAM),
            reported(this::update))
        .add(
            describeOne(
                    Endpoint.post(one + "/block", Access.ADMIN),
                    "team",
                    "blockTeam",
                    "Ends the access of all users of a team.")
                .answer(200, "The team.", TEAM)
                .errors(409),
            DatabaseErrors.reported((request, response) -> block(request, response, true)))
        .add(
            describeOne(
                    Endpoint.post(one + "/unblock", Access.ADMIN),
                    "team",
                    "unblockTeam",
                    "Lets the users of a team have access again.")
                .answer(200, "The team.", TEAM),
            DatabaseErrors.reported((request, response) -> block(request, response, false)))
        .add(
            describeOne(
                    Endpoint.delete(one, Access.ADMIN),
                    "team",
                    "deleteTeam",
                    "Deletes a team without users.")
                .answer(200, "The team is deleted.", "admin/TeamDeletion")
                .errors(409),
            DatabaseErrors.reported(this::delete));
  }

  private void create(ObjectNode body, ServerRequest request, ServerResponse response) {
    String id = Fields.newId(body);
    String name = Fields.name(body, null);
    RateLimits limits = Fields.limits(body, RateLimits.DEFAULTS);
    Team team =
        changes.make(
            Exchange.of(request),
            db -> {
              Team created =
                  TeamStore.insert(id, name, limits)
                      .apply(db)
                      .orElseThrow(
                          () ->
                              new ApiException.Conflict(
                                  "There is a team with the id '%s' already.".formatted(id),
                                  "id",
                                  "already_exists"));
              return change(Action.TEAM_CREATE, null, created);
            });
    JsonResponse.send(response, AdminObject.team(team));
  }

  private void list(ServerRequest request, ServerResponse response) {
    Page page = Listing.byName(request);
    Listing.send(
        response,
        page,
        database.execute(TeamStore.list(page)).stream().map(AdminObject::team).toList());
  }

  private void get(ServerRequest request, ServerResponse response) {
    JsonResponse.send(response, AdminObject.team(database.execute(db -> require(db, id(request)))));
  }

  private void update(ObjectNode body, ServerRequest request, ServerResponse response) {
    Team team =
        changes.make(
            Exchange.of(request),
            db -> {
              Team before = require(db, id(request));
              Team after =
                  TeamStore.update(
                          before.id(),
                          Fields.name(body, before.name()),
                          Fields.limits(body, before.limits()))
                      .apply(db)
                      .orElseThrow();
              return change(Action.TEAM_UPDATE, before, after);
            });
    JsonResponse.send(response, AdminObject.team(team));
  }

  private void block(ServerRequest request, ServerResponse response, boolean blocked) {
    Exchange exchange = Exchange.of(request);
    Team team =
        changes.make(
            exchange,
            db -> {
              Team before = require(db, id(request));
              if (blocked && isOwn(db, exchange, before)) {
                throw new ApiException.Conflict(
                    "You are in the team '%s'; another administrator must block it."
                        .formatted(before.id()),
                    null,
                    "own_team");
              }
              Team after = TeamStore.block(before.id(), blocked).apply(db).orElseThrow();
              return change(blocked ? Action.TEAM_BLOCK : Action.TEAM_UNBLOCK, before, after);
            });
    JsonResponse.send(response, AdminObject.team(team));
  }

  private static boolean isOwn(DbExecute db, Exchange exchange, Team team) {
    return UserStore.find(exchange.principal().userId())
        .apply(db)
        .filter(it -> team.id().equals(it.teamId()))
        .isPresent();
  }

  private void delete(ServerRequest request, ServerResponse response) {
    String id = id(request);
    changes.make(
        Exchange.of(request),
        db -> {
          Team before = require(db, id);
          long users = TeamStore.users(id).apply(db);
          if (users > 0) {
            throw new ApiException.Conflict(
                "The team '%s' has %d %s; move them to another team or delete them first."
                    .formatted(id, users, users == 1 ? "user" : "users"),
                null,
                "team_not_empty");
          }
          var _ = BudgetStore.deleteOf(Scope.TEAM, id).apply(db);
          var _ = TeamStore.delete(id).apply(db);
          return change(Action.TEAM_DELETE, before, null);
        });
    JsonResponse.send(response, AdminObject.deleted(id, "team"));
  }

  private static Change<Team> change(Action action, @Nullable Team before, @Nullable Team after) {
    Team result = after == null ? requireNonNull(before) : after;
    return new Change<>(
        action,
        result.id(),
        null,
        before == null ? null : AdminObject.team(before),
        after == null ? null : AdminObject.team(after),
        result);
  }

  private static Team require(DbExecute db, String id) {
    return Optional.of(id)
        .filter(Identifier::isValid)
        .flatMap(it -> TeamStore.find(it).apply(db))
        .orElseThrow(
            () ->
                new ApiException.NotFound(
                    "There is no team with the id '%s'.".formatted(id), "id", "team_not_found"));
  }

  private static String id(ServerRequest request) {
    return request.path().pathParameters().get("id");
  }
}
