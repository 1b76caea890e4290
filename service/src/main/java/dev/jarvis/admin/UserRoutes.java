package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describe;
import static dev.jarvis.admin.AdminEndpoints.describeOne;
import static dev.jarvis.admin.AdminEndpoints.reported;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.budget.BudgetStore;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.identity.ErasureStore;
import dev.jarvis.identity.Identifier;
import dev.jarvis.identity.Role;
import dev.jarvis.identity.TeamStore;
import dev.jarvis.identity.User;
import dev.jarvis.identity.UserStore;
import dev.jarvis.identity.UserStore.Settings;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import io.helidon.dbclient.DbExecute;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** {@code /v1/admin/users}. */
final class UserRoutes {
  private static final String PATH = "/v1/admin/users";
  private static final String USER = "admin/User";

  private final Database database;
  private final Changes changes;
  private final Predicate<String> configured;
  private final Runnable erasing;

  /**
   * @param configured whether the configuration has a key of a user
   * @param erasing called when there is work for the erasure
   */
  UserRoutes(Database database, Changes changes, Predicate<String> configured, Runnable erasing) {
    this.database = database;
    this.changes = changes;
    this.configured = configured;
    this.erasing = erasing;
  }

  void register(Routes routes) {
    String one = PATH + "/{id}";
    routes
        .addJson(
            describe(Endpoint.post(PATH, Access.ADMIN), "createUser", "Creates a user.")
                .body("admin/UserCreation")
                .answer(200, "The user.", USER)
                .errors(409),
            reported(this::create))
        .add(
            describe(Endpoint.get(PATH, Access.ADMIN), "listUsers", "Lists users.")
                .query("admin/UserListQuery")
                .answer(200, "A page of users.", "admin/UserList"),
            DatabaseErrors.reported(this::list))
        .add(
            describeOne(Endpoint.get(one, Access.ADMIN), "user", "retrieveUser", "Returns a user.")
                .answer(200, "The user.", USER),
            DatabaseErrors.reported(this::get))
        .addJson(
            describeOne(
                    Endpoint.patch(one, Access.ADMIN),
                    "user",
                    "updateUser",
                    "Changes a user: a field that is absent keeps its value, and null clears it.")
                .body("admin/UserUpdate")
                .answer(200, "The user.", USER)
                .errors(409),
            reported(this::update))
        .add(
            describeOne(
                    Endpoint.post(one + "/block", Access.ADMIN),
                    "user",
                    "blockUser",
                    "Ends a user's access, with every key and token.")
                .answer(200, "The user.", USER)
                .errors(409),
            DatabaseErrors.reported((request, response) -> block(request, response, true)))
        .add(
            describeOne(
                    Endpoint.post(one + "/unblock", Access.ADMIN),
                    "user",
                    "unblockUser",
                    "Lets a user have access again.")
                .answer(200, "The user.", USER)
                .errors(409),
            DatabaseErrors.reported((request, response) -> block(request, response, false)))
        .add(
            describeOne(
                    Endpoint.delete(one, Access.ADMIN),
                    "user",
                    "deleteUser",
                    "Ends a user's access and begins to erase the user's data.")
                .answer(
                    202, "The user, whose state is `erasing` until there is no such user.", USER)
                .errors(409),
            DatabaseErrors.reported(this::delete));
  }

  private void create(ObjectNode body, ServerRequest request, ServerResponse response) {
    String id = Fields.newId(body);
    Settings settings = settings(body, new Settings(null, Role.MEMBER, null, RateLimits.DEFAULTS));
    User user =
        changes.make(
            Exchange.of(request),
            db -> {
              requireTeam(db, settings.teamId());
              User created =
                  UserStore.insert(id, settings).apply(db).orElseThrow(() -> taken(db, id));
              return change(Action.USER_CREATE, null, created);
            });
    JsonResponse.send(response, AdminObject.user(user));
  }

  private static ApiException taken(DbExecute db, String id) {
    boolean erasing = UserStore.find(id).apply(db).filter(User::erasing).isPresent();
    return new ApiException.Conflict(
        erasing
            ? "A user with the id '%s' is being erased; the id is free when that is done."
                .formatted(id)
            : "There is a user with the id '%s' already.".formatted(id),
        "id",
        "already_exists");
  }

  private void list(ServerRequest request, ServerResponse response) {
    Page page = Listing.byName(request);
    String role = Listing.query(request, "role");
    String blocked = Listing.query(request, "blocked");
    UserStore.Filter filter =
        new UserStore.Filter(
            Listing.query(request, "team"),
            role == null ? null : Role.valueOf(role.toUpperCase(Locale.ROOT)),
            blocked == null ? null : (Boolean) blocked.equals("true"));
    Listing.send(
        response,
        page,
        database.execute(UserStore.list(filter, page)).stream().map(AdminObject::user).toList());
  }

  private void get(ServerRequest request, ServerResponse response) {
    JsonResponse.send(
        response, AdminObject.user(database.execute(db -> Users.require(db, Users.id(request)))));
  }

  private void update(ObjectNode body, ServerRequest request, ServerResponse response) {
    User user =
        changes.make(
            Exchange.of(request),
            db -> {
              User before = Users.requirePresent(db, Users.id(request));
              Settings settings =
                  settings(
                      body,
                      new Settings(before.name(), before.role(), before.teamId(), before.limits()));
              requireTeam(db, settings.teamId());
              User after = UserStore.update(before.id(), settings).apply(db).orElseThrow();
              return change(Action.USER_UPDATE, before, after);
            });
    JsonResponse.send(response, AdminObject.user(user));
  }

  private void block(ServerRequest request, ServerResponse response, boolean blocked) {
    Exchange exchange = Exchange.of(request);
    User user =
        changes.make(
            exchange,
            db -> {
              User before = Users.requirePresent(db, Users.id(request));
              if (blocked) {
                requireAnother(exchange, before, "block");
              }
              User after = UserStore.block(before.id(), blocked).apply(db).orElseThrow();
              return change(blocked ? Action.USER_BLOCK : Action.USER_UNBLOCK, before, after);
            });
    JsonResponse.send(response, AdminObject.user(user));
  }

  private void delete(ServerRequest request, ServerResponse response) {
    Exchange exchange = Exchange.of(request);
    User user =
        changes.make(
            exchange,
            db -> {
              User before = Users.requirePresent(db, Users.id(request));
              requireAnother(exchange, before, "delete");
              if (configured.test(before.id())) {
                throw new ApiException.Conflict(
                    "The user '%s' has a key in the configuration; remove it from there first, or block the user."
                        .formatted(before.id()),
                    null,
                    "configured_user");
              }
              var _ = BudgetStore.deleteOfUser(before.id()).apply(db);
              User after =
                  ErasureStore.begin(before.id(), Pseudonym.next()).apply(db).orElseThrow();
              return change(Action.USER_DELETE, before, after);
            });
    erasing.run();
    response.status(Status.ACCEPTED_202);
    JsonResponse.send(response, AdminObject.user(user));
  }

  private static void requireAnother(Exchange exchange, User user, String what) {
    if (user.id().equals(exchange.principal().userId())) {
      throw new ApiException.Conflict(
          "You cannot %s yourself; another administrator can.".formatted(what), null, "own_user");
    }
  }

  private static Settings settings(ObjectNode body, Settings present) {
    JsonNode role = body.path("role");
    return new Settings(
        Fields.name(body, present.name()),
        role.isTextual() ? Role.valueOf(role.textValue().toUpperCase(Locale.ROOT)) : present.role(),
        body.has("team_id") ? body.path("team_id").textValue() : present.teamId(),
        Fields.limits(body, present.limits()));
  }

  private static void requireTeam(DbExecute db, @Nullable String id) {
    if (id != null && (!Identifier.isValid(id) || TeamStore.find(id).apply(db).isEmpty())) {
      throw new ApiException.InvalidRequest(
          "'team_id' is '%s'; there is no such team.".formatted(id), "team_id", "team_not_found");
    }
  }

  private static Change<User> change(Action action, @Nullable User before, User after) {
    return new Change<>(
        action,
        after.id(),
        after.id(),
        before == null ? null : AdminObject.user(before),
        AdminObject.user(after),
        after);
  }
}
