package dev.jarvis.admin;

import dev.jarvis.error.ApiException;
import dev.jarvis.identity.Identifier;
import dev.jarvis.identity.User;
import dev.jarvis.identity.UserStore;
import io.helidon.dbclient.DbExecute;
import io.helidon.webserver.http.ServerRequest;
import java.util.Optional;

/** Finds the users that requests name. */
final class Users {
  private Users() {}

  /** The id in the path of a request. */
  static String id(ServerRequest request) {
    return request.path().pathParameters().get("id");
  }

  /**
   * @throws ApiException.NotFound if there is no such user
   */
  static User require(DbExecute db, String id) {
    return Optional.of(id)
        .filter(Identifier::isValid)
        .flatMap(it -> UserStore.find(it).apply(db))
        .orElseThrow(
            () ->
                new ApiException.NotFound(
                    "There is no user with the id '%s'.".formatted(id), "id", "user_not_found"));
  }

  /**
   * @throws ApiException.NotFound if there is no such user
   * @throws ApiException.Conflict if the user is being erased
   */
  static User requirePresent(DbExecute db, String id) {
    User user = require(db, id);
    if (user.erasing()) {
      throw new ApiException.Conflict(
          "The user '%s' is being erased.".formatted(id), null, "user_erasing");
    }
    return user;
  }
}
