package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.gateway.Permission;
import dev.jarvis.identity.ApiKey;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every route answers each kind of client as the table of {@code docs/access.md} says. A route that
 * is missing there fails the test.
 */
class RouteAccessTest {
  private static final Path PAGE = Path.of("../docs/access.md");
  private static final String MEMBER = "sk-test-key-of-a-member-0123456789";

  /** {@code | `GET /v1/files` | files | no | yes | yes | … |}. */
  private static final Pattern ROW =
      Pattern.compile(
          "\\| `([A-Z]+) (/\\S*)` \\| (\\S*) ?\\| (yes|no|token) \\| (yes|no) \\| (yes|no) \\|.*");

  private static TestService service;

  /** Keys of the administrator, by the only permission that each of them has. */
  private static final Map<Permission, ApiKey> RESTRICTED = new EnumMap<>(Permission.class);

  /** A row of the table. */
  record Route(
      String method,
      String path,
      String permission,
      boolean nobody,
      boolean member,
      boolean admin) {
    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  @BeforeAll
  static void start() throws Exception {
    service = TestService.start(Map.of("JARVIS_API_KEYS", TestService.apiKeys("mia", MEMBER)));
    try (Connection connection = service.database().connect();
        PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO api_keys (id, prefix, sha256, user_id, permissions)"
                    + " VALUES (?, ?, ?, 'admin', ARRAY[?])")) {
      for (Permission permission : Permission.values()) {
        ApiKey key = ApiKey.generate();
        RESTRICTED.put(permission, key);
        insert.setObject(1, UUID.randomUUID());
        insert.setString(2, key.prefix());
        insert.setBytes(3, key.sha256());
        insert.setString(4, permission.id());
        insert.execute();
      }
    }
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  static List<Route> rows() throws Exception {
    List<Route> rows = new ArrayList<>();
    for (String line : Files.readAllLines(PAGE)) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        rows.add(
            new Route(
                row.group(1),
                row.group(2),
                row.group(3),
                !row.group(4).equals("no"),
                row.group(5).equals("yes"),
                row.group(6).equals("yes")));
      }
    }
    return rows;
  }

  @Test
  void theTableHasEveryRoute() throws Exception {
    Stream<String> served =
        service.routes().templates().entrySet().stream()
            .flatMap(it -> it.getValue().stream().map(method -> method + " " + it.getKey()));

    assertThat(rows().stream().map(Route::toString))
        .containsExactlyInAnyOrderElementsOf(served.toList());
  }

  @ParameterizedTest
  @MethodSource("rows")
  void aRouteIsOpenToNobodyElse(Route route) {
    assertThat(status(route, null)).as("without a key").matches(it -> route.nobody() == isOpen(it));
    assertThat(status(route, MEMBER)).as("a member").matches(it -> route.member() == isOpen(it));
    assertThat(status(route, TestService.KEY))
        .as("an administrator")
        .matches(it -> route.admin() == isOpen(it));
    assertThat(status(route, "sk-unknown"))
        .as("an unknown key")
        .matches(it -> route.nobody() == isOpen(it));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void aRestrictedKeyIsGoodForItsPermissionOnly(Route route) {
    RESTRICTED.forEach(
        (permission, key) -> {
          boolean allowed =
              route.permission().isEmpty() || route.permission().equals(permission.id());
          assertThat(status(route, key.text()))
              .as(permission.id())
              .matches(it -> allowed == isOpen(it));
        });
  }

  /** Whether the client may use the route; the request itself is invalid, or finds nothing. */
  private static boolean isOpen(int status) {
    return status != 401 && status != 403;
  }

  private static int status(Route route, @Nullable String key) {
    String path = route.path().replaceAll("\\{[^}]+}", "00000000-0000-7000-8000-000000000000");
    var request = service.request(path, "Authorization", key == null ? "none" : "Bearer " + key);
    boolean body = route.method().equals("POST") || route.method().equals("PATCH");
    HttpResponse<String> response =
        service.send(
            request
                .method(
                    route.method(), body ? BodyPublishers.ofString("{}") : BodyPublishers.noBody())
                .build());
    // a limit or a failure would say nothing about access; only health reports a 503 of others
    if (!path.startsWith("/health")) {
      assertThat(response.statusCode()).as(response.body()).isNotEqualTo(429).isLessThan(500);
    }
    return response.statusCode();
  }
}
