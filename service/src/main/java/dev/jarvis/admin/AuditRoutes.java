package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describe;

import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Routes;
import dev.jarvis.identity.AuditLog;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code GET /v1/admin/audit}. */
final class AuditRoutes {
  private final Database database;

  AuditRoutes(Database database) {
    this.database = database;
  }

  void register(Routes routes) {
    routes.add(
        describe(
                Endpoint.get("/v1/admin/audit", Access.ADMIN),
                "listAdminActions",
                "Lists what administrators did.")
            .query("admin/AuditQuery")
            .answer(200, "A page of actions.", "admin/AdminActionList"),
        DatabaseErrors.reported(this::list));
  }

  private void list(ServerRequest request, ServerResponse response) {
    Page page = Listing.byTime(request);
    AuditLog.Filter filter =
        new AuditLog.Filter(
            Listing.query(request, "actor"),
            Listing.query(request, "target_type"),
            Listing.query(request, "target_id"),
            Listing.query(request, "action"));
    Listing.send(
        response,
        page,
        database.execute(AuditLog.list(filter, page)).stream().map(AdminObject::action).toList());
  }
}
