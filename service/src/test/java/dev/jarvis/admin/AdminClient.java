package dev.jarvis.admin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** Calls the API of administrators of a service. */
record AdminClient(TestService service) {
  /** Makes a request, of a method, a path and perhaps a body, with spaces between them. */
  HttpResponse<String> send(String request, String... headers) {
    String[] parts = request.split(" ", 3);
    String body = parts.length == 3 ? parts[2] : "";
    return service.send(
        service
            .request(parts[1], headers)
            .method(
                parts[0], body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .build());
  }

  /** Makes a request that succeeds. */
  JsonNode call(String request) {
    HttpResponse<String> response = send(request);
    assertThat(response.statusCode()).as("%s: %s", request, response.body()).isIn(200, 202);
    return TestService.json(response.body());
  }

  /** Adds users as the service does at its start with those who have a key in the configuration. */
  void configured(String id, String role) throws SQLException {
    service
        .database()
        .execute(
            "INSERT INTO users (id, role) VALUES ('%s', '%s') ON CONFLICT DO NOTHING"
                .formatted(id, role));
  }

  /** Creates a user with a key, and returns the key's object. */
  JsonNode userWithKey(String id) {
    call("POST /v1/admin/users {\"id\":\"%s\"}".formatted(id));
    return call("POST /v1/admin/keys {\"user_id\":\"%s\"}".formatted(id));
  }

  List<Map<String, String>> rows(String sql) {
    try {
      return service.database().rows(sql);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  void execute(String sql) {
    try {
      service.database().execute(sql);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }
}
