package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describeOne;

import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Routes;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.identity.User;
import dev.jarvis.limit.Admission;
import dev.jarvis.storage.Database;
import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.time.Duration;

/** {@code GET /v1/admin/users/{id}/export}: everything about a user, in a ZIP archive. */
final class ExportRoutes {
  private static final Admission.Limits LIMITS = new Admission.Limits(2, 8, Duration.ofSeconds(30));

  private final Database database;
  private final Changes changes;
  private final Export export;
  private final Admission admission = new Admission("exports", LIMITS, change -> {});

  ExportRoutes(Database database, Changes changes, Export export) {
    this.database = database;
    this.changes = changes;
    this.export = export;
  }

  void register(Routes routes) {
    routes.add(
        describeOne(
                Endpoint.get("/v1/admin/users/{id}/export", Access.ADMIN),
                "user",
                "exportUser",
                "Returns everything that is stored about a user: properties, keys, files, requests, actions.")
            .binary(200, "A ZIP archive.", "application/zip")
            .errors(409),
        DatabaseErrors.reported(this::export));
  }

  private void export(ServerRequest request, ServerResponse response) {
    Exchange exchange = Exchange.of(request);
    String id = Users.id(request);
    if (request.prologue().method().equals(Method.HEAD)) {
      database.execute(db -> Users.requirePresent(db, id));
      head(response);
      response.send();
      return;
    }
    ClientConnection.current()
        .answer(
            () -> {
              try (Admission.Permit permit = admission.acquire(exchange.principal().userId())) {
                User user =
                    changes.make(
                        exchange,
                        db -> {
                          User found = Users.requirePresent(db, id);
                          return new Change<>(
                              Action.USER_EXPORT, found.id(), found.id(), null, null, found);
                        });
                send(user, response);
              }
            },
            exchange::clientIsGone);
  }

  private void send(User user, ServerResponse response) {
    head(response);
    try {
      export.write(user, response.outputStream());
    } catch (IOException | RuntimeException e) {
      // the status is sent already, so only an incomplete body can report the error
      throw new CloseConnectionException("an export could not be completed", e);
    }
  }

  private static void head(ServerResponse response) {
    response.header(HeaderNames.CONTENT_TYPE, "application/zip");
    response.header(HeaderNames.CONTENT_DISPOSITION, "attachment; filename=\"export.zip\"");
    response.header(HeaderNames.CACHE_CONTROL, "no-store");
  }
}
