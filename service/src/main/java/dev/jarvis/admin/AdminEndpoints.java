package dev.jarvis.admin;

import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.gateway.Permission;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.JsonHandler;

/** What the endpoints of administrators have in common. */
final class AdminEndpoints {
  private AdminEndpoints() {}

  /** Names the operation of an endpoint that only administrators may use. */
  static Endpoint describe(Endpoint endpoint, String id, String summary) {
    return endpoint
        .permission(Permission.ADMIN)
        .operation("administration", id, summary)
        .errors(503);
  }

  /** The same for an endpoint of one object. */
  static Endpoint describeOne(Endpoint endpoint, String object, String id, String summary) {
    return describe(endpoint, id, summary).path("id", "The id of a " + object + ".").errors(404);
  }

  /** Reports to clients that the database is unavailable. */
  static JsonHandler reported(JsonHandler handler) {
    return (body, request, response) ->
        DatabaseErrors.reported((req, res) -> handler.handle(body, req, res))
            .handle(request, response);
  }
}
