package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describe;
import static dev.jarvis.admin.AdminEndpoints.describeOne;
import static dev.jarvis.admin.AdminEndpoints.reported;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.budget.Budget.Scope;
import dev.jarvis.budget.BudgetStore;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.id.UuidV7;
import dev.jarvis.identity.ApiKey;
import dev.jarvis.identity.Identifier;
import dev.jarvis.identity.KeyStore;
import dev.jarvis.identity.StoredKey;
import dev.jarvis.identity.User;
import dev.jarvis.identity.UserStore;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import io.helidon.dbclient.DbExecute;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** {@code /v1/admin/keys}. A key in clear text is only in the response that creates it. */
final class KeyRoutes {
  private static final String PATH = "/v1/admin/keys";
  private static final String KEY = "admin/ApiKey";
  private static final int DEFAULT_GRACE_SECONDS = 86_400;

  private final Database database;
  private final Changes changes;

  KeyRoutes(Database database, Changes changes) {
    this.database = database;
    this.changes = changes;
  }

  /** A key that is shown once. */
  private record Issued(StoredKey stored, ApiKey key) {}

  void register(Routes routes) {
    String one = PATH + "/{id}";
    routes
        .addJson(
            describe(Endpoint.post(PATH, Access.ADMIN), "createKey", "Creates a key of a user.")
                .body("admin/KeyCreation")
                .answer(200, "The key, in clear text for the only time.", "admin/IssuedKey")
                .responseHeaders("admin/IssuedKeyHeaders")
                .errors(409),
            reported(this::create))
        .add(
            describe(Endpoint.get(PATH, Access.ADMIN), "listKeys", "Lists keys.")
                .query("admin/KeyListQuery")
                .answer(200, "A page of keys.", "admin/KeyList"),
            DatabaseErrors.reported(this::list))
        .add(
            describeOne(Endpoint.get(one, Access.ADMIN), "key", "retrieveKey", "Returns a key.")
                .answer(200, "The key, without its secret.", KEY),
            DatabaseErrors.reported(this::get))
        .addJson(
            describeOne(
                    Endpoint.patch(one, Access.ADMIN),
                    "key",
                    "updateKey",
                    "Changes a key: a field that is absent keeps its value, and null clears it.")
                .body("admin/KeyUpdate")
                .answer(200, "The key.", KEY)
                .errors(409),
            reported(this::update))
        .addJson(
            describeOne(
                    Endpoint.post(one + "/rotate", Access.ADMIN),
                    "key",
                    "rotateKey",
                    "Creates a key with the same properties, and lets the old one expire after a grace period.")
                .body("admin/KeyRotation")
                .answer(200, "The new key, in clear text for the only time.", "admin/IssuedKey")
                .responseHeaders("admin/IssuedKeyHeaders")
                .errors(409),
            reported(this::rotate))
        .add(
            describeOne(
                    Endpoint.post(one + "/revoke", Access.ADMIN),
                    "key",
                    "revokeKey",
                    "Ends the use of a key for ever.")
                .answer(200, "The key.", KEY)
                .errors(409),
            DatabaseErrors.reported(this::revoke))
        .add(
            describeOne(
                    Endpoint.delete(one, Access.ADMIN),
                    "key",
                    "deleteKey",
                    "Deletes a key, and ends its use.")
                .answer(200, "The key is deleted.", "admin/KeyDeletion")
                .errors(409),
            DatabaseErrors.reported(this::delete));
  }

  private void create(ObjectNode body, ServerRequest request, ServerResponse response) {
    String userId = body.path("user_id").textValue();
    StoredKey.Settings settings = KeySettings.created(body);
    Issued issued =
        changes.make(
            Exchange.of(request),
            db -> {
              requireUser(db, userId);
              Issued created = issue(db, UuidV7.next(), userId, settings);
              return new Change<>(
                  Action.KEY_CREATE,
                  created.stored().id().toString(),
                  userId,
                  null,
                  AdminObject.key(created.stored()),
                  created);
            });
    send(response, issued);
  }

  private static Issued issue(DbExecute db, UUID id, String userId, StoredKey.Settings settings) {
    ApiKey key = ApiKey.generate();
    return new Issued(KeyStore.insert(id, key, userId, settings).apply(db), key);
  }

  private static void requireUser(DbExecute db, String id) {
    User user =
        Optional.of(id)
            .filter(Identifier::isValid)
            .flatMap(it -> UserStore.find(it).apply(db))
            .orElseThrow(
                () ->
                    new ApiException.InvalidRequest(
                        "'user_id' is '%s'; there is no such user.".formatted(id),
                        "user_id",
                        "user_not_found"));
    if (user.erasing()) {
      throw new ApiException.Conflict(
          "The user '%s' is being erased.".formatted(id), "user_id", "user_erasing");
    }
  }

  private static void send(ServerResponse response, Issued issued) {
    response.header(HeaderNames.CACHE_CONTROL, "no-store");
    JsonResponse.send(response, AdminObject.key(issued.stored()).put("key", issued.key().text()));
  }

  private void list(ServerRequest request, ServerResponse response) {
    Page page = Listing.byTime(request);
    String state = Listing.query(request, "state");
    KeyStore.Filter filter =
        new KeyStore.Filter(
            Listing.query(request, "user"),
            state == null ? null : StoredKey.State.valueOf(state.toUpperCase(Locale.ROOT)));
    Listing.send(
        response,
        page,
        database.execute(KeyStore.list(filter, page)).stream().map(AdminObject::key).toList());
  }

  private void get(ServerRequest request, ServerResponse response) {
    JsonResponse.send(response, AdminObject.key(database.execute(db -> require(db, request))));
  }

  private void update(ObjectNode body, ServerRequest request, ServerResponse response) {
    StoredKey key =
        changes.make(
            Exchange.of(request),
            db -> {
              StoredKey before = require(db, request);
              StoredKey.Settings settings = KeySettings.changed(body, before.settings());
              requireNoLonger(before, settings.expiresAt());
              StoredKey after = KeyStore.update(before.id(), settings).apply(db).orElseThrow();
              return change(Action.KEY_UPDATE, before, after);
            });
    JsonResponse.send(response, AdminObject.key(key));
  }

  /** A key that was replaced ends with its grace period at the latest. */
  private static void requireNoLonger(StoredKey key, @Nullable Instant end) {
    Instant present = key.settings().expiresAt();
    if (key.replacedBy() != null && present != null && (end == null || end.isAfter(present))) {
      throw new ApiException.Conflict(
          "The key is replaced by '%s' already; its grace period cannot be extended. Use that one."
              .formatted(key.replacedBy()),
          "expires_at",
          "key_replaced");
    }
  }

  private void rotate(ObjectNode body, ServerRequest request, ServerResponse response) {
    Duration grace = Duration.ofSeconds(body.path("grace_seconds").asInt(DEFAULT_GRACE_SECONDS));
    Issued issued =
        changes.make(
            Exchange.of(request),
            db -> {
              StoredKey before = require(db, request);
              requireRotatable(before);
              Issued created = issue(db, UuidV7.next(), before.userId(), before.settings());
              var _ = BudgetStore.copy(before.id(), created.stored().id()).apply(db);
              StoredKey after =
                  KeyStore.replace(before.id(), created.stored().id(), grace)
                      .apply(db)
                      .orElseThrow();
              return new Change<>(
                  Action.KEY_ROTATE,
                  before.id().toString(),
                  before.userId(),
                  AdminObject.key(before),
                  AdminObject.key(after),
                  created);
            });
    send(response, issued);
  }

  private static void requireRotatable(StoredKey key) {
    StoredKey.State state = key.state(Instant.now());
    if (state != StoredKey.State.ACTIVE) {
      throw new ApiException.Conflict(
          "The key is %s; only an active key can be rotated. Create a new one."
              .formatted(state.name().toLowerCase(Locale.ROOT)),
          null,
          "key_not_active");
    }
    if (key.replacedBy() != null) {
      throw new ApiException.Conflict(
          "The key is replaced by '%s' already; rotate that one.".formatted(key.replacedBy()),
          null,
          "key_replaced");
    }
  }

  private void revoke(ServerRequest request, ServerResponse response) {
    StoredKey key =
        changes.make(
            Exchange.of(request),
            db -> {
              StoredKey before = require(db, request);
              StoredKey after = KeyStore.revoke(before.id()).apply(db).orElseThrow();
              return change(Action.KEY_REVOKE, before, after);
            });
    JsonResponse.send(response, AdminObject.key(key));
  }

  private void delete(ServerRequest request, ServerResponse response) {
    StoredKey key =
        changes.make(
            Exchange.of(request),
            db -> {
              StoredKey before = require(db, request);
              var _ = BudgetStore.deleteOf(Scope.KEY, before.id().toString()).apply(db);
              var _ = KeyStore.delete(before.id()).apply(db);
              return change(Action.KEY_DELETE, before, null);
            });
    JsonResponse.send(response, AdminObject.deleted(key.id().toString(), "api_key"));
  }

  private static Change<StoredKey> change(
      Action action, StoredKey before, @Nullable StoredKey after) {
    return new Change<>(
        action,
        before.id().toString(),
        before.userId(),
        AdminObject.key(before),
        after == null ? null : AdminObject.key(after),
        after == null ? before : after);
  }

  private static StoredKey require(DbExecute db, ServerRequest request) {
    String id = request.path().pathParameters().get("id");
    Optional<StoredKey> found = Listing.uuid(id).flatMap(it -> KeyStore.find(it).apply(db));
    return found.orElseThrow(
        () ->
            new ApiException.NotFound(
                "There is no key with the id '%s'.".formatted(id), "id", "key_not_found"));
  }
}
