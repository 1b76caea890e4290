package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.jarvis.config.Configs;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Grants;
import dev.jarvis.gateway.Permission;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.gateway.ScopedLimits;
import dev.jarvis.gateway.ScopedLimits.Scope;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which credentials are accepted, and what the others are answered. */
class AuthenticatorTest {
  private static final String ROOT = "root-key-0123456789-0123456789-01";
  private static final String HERE = "192.0.2.7";

  private static final IdentityConfig CONFIG = Configs.of(IdentityConfig.class, Map.of());

  @TempDir static Path home;
  private static Telemetry telemetry;
  private static TestDatabase server;
  private static Database database;
  private static Identities identities;

  private final Instant now = Instant.parse("2030-01-01T00:00:00Z");
  private KeyUse uses;
  private Authenticator clients;

  @BeforeAll
  static void open() throws Exception {
    telemetry = Recorded.start();
    server = TestDatabase.create();
    database = Stores.database(server.config(4, Duration.ofSeconds(30)), home, telemetry);
    identities = new Identities(CONFIG, database, telemetry.instruments());
  }

  @AfterAll
  static void close() throws Exception {
    identities.close();
    database.close();
    server.close();
    telemetry.close();
  }

  @BeforeEach
  void start() throws Exception {
    server.execute("TRUNCATE api_keys, users, teams");
    server.execute(
        "UPDATE identity_version SET version = version + 1"); // TRUNCATE fires no trigger
    identities.changed();
    ApiKeys keys = ApiKeys.open(List.of(ApiKeys.admin(ROOT)), home.resolve("none"), key -> {});
    identities.addMissing(keys.users());
    uses = new KeyUse(database, 10, () -> now, Duration.ofHours(1));
    clients =
        new Authenticator(
            CONFIG,
            keys,
            identities,
            uses,
            AuthenticatorTest::verify,
            telemetry.instruments(),
            () -> now,
            System::nanoTime);
  }

  @AfterEach
  void stop() throws Exception {
    uses.close();
  }

  private static Authenticator.TokenUser verify(String token) {
    return switch (token) {
      case "a.b.c" -> new Authenticator.TokenUser("ann", null, null, "token:a", false);
      case "a.b.admin" -> new Authenticator.TokenUser("ann", "red", Role.ADMIN, "token:a", false);
      case "a.b.nobody" -> new Authenticator.TokenUser("nobody", null, null, "token:n", false);
      case "a.b.new" -> new Authenticator.TokenUser("new", null, null, "token:new", true);
      default ->
          throw new AuthenticationFailure(
              AuthenticationFailure.Reason.INVALID_TOKEN,
              new ApiException.Unauthenticated("The token is not valid."));
    };
  }

  /** The columns of the key, of the user and of the team, and the answer to the right secret. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          expires_at = '2030-01-01 00:00:01+00' | |  | ok | |
          expires_at = '2030-01-01 00:00:00+00' | |  | expired_key | invalid_api_key | The API key has expired.
          expires_at = '2029-12-31', replaced_by = id | |  | expired_key | invalid_api_key | The API key was replaced by a new one, and its grace period is over.
          expires_at = '2030-01-02', replaced_by = id | |  | ok | |
          revoked_at = now() | |  | revoked_key | invalid_api_key | The API key has been revoked.
          revoked_at = now(), expires_at = '2029-12-31' | |  | revoked_key | invalid_api_key | The API key has been revoked.
          addresses = '{192.0.2.0/24}' | |  | ok | |
          addresses = '{2001:db8::/32,192.0.2.7}' | |  | ok | |
          addresses = '{198.51.100.0/24}' | |  | address | address_not_allowed | The API key may not be used from your address, 192.0.2.7.
          addresses = '{nonsense}' | |  | unknown_key | invalid_api_key | The API key is unknown.
          permissions = '{fly}' | |  | unknown_key | invalid_api_key | The API key is unknown.
          name = 'x' | blocked_at = now() |  | blocked | user_blocked | The user of this API key is blocked.
          name = 'x' | name = 'x' | blocked_at = now() | blocked | user_blocked | The team of this API key is blocked.
          name = 'x' | pseudonym = 'erased-1' |  | unknown_key | invalid_api_key | The API key is unknown.
          addresses = '{198.51.100.0/24}' | blocked_at = now() |  | blocked | user_blocked | The user of this API key is blocked.
          """)
  void theRightSecret(
      String key, String user, String team, String outcome, String code, String message)
      throws Exception {
    ApiKey ann = TestKeys.add(server, "ann");
    TestKeys.set(server, ann, key);
    server.execute("INSERT INTO teams (id) VALUES ('red')");
    server.execute("UPDATE users SET team_id = 'red' WHERE id = 'ann'");
    if (user != null) {
      server.execute("UPDATE users SET %s WHERE id = 'ann'".formatted(user));
    }
    if (team != null) {
      server.execute("UPDATE teams SET %s WHERE id = 'red'".formatted(team));
    }

    for (int i = 0; i < 2; i++) { // from the database, and from memory
      assertOutcome(ann.text(), outcome, code, message);
    }
    // whoever has not the secret learns nothing
    assertOutcome(
        TestKeys.guess(ann).text(), "unknown_key", "invalid_api_key", "The API key is unknown.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          root-key-0123456789-0123456789-01 | ok | |
          root-key-0123456789-0123456789-02 | unknown_key | invalid_api_key | The API key is unknown.
          '' | unknown_key | invalid_api_key | The API key is unknown.
          sk-jarvis-abcdefghijkl-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA | unknown_key | invalid_api_key | The API key is unknown.
          sk-jarvis-abcdefghijkl-short | unknown_key | invalid_api_key | The API key is unknown.
          a.b.c | ok | |
          a.b.admin | ok | |
          a.b.nobody | refused_token | invalid_api_key | The token stands for no user here, or for a team that does not exist.
          a.b.new | ok | |
          a.b.forged | invalid_token | invalid_api_key | The token is not valid.
          a.b.c.d | unknown_key | invalid_api_key | The API key is unknown.
          """)
  void otherCredentials(String credential, String outcome, String code, String message)
      throws Exception {
    TestKeys.add(server, "ann");
    server.execute("INSERT INTO teams (id) VALUES ('red')");

    assertOutcome(credential, outcome, code, message);
  }

  private void assertOutcome(String credential, String outcome, String code, String message) {
    AuthenticationFailure failure =
        catchThrowableOfType(
            AuthenticationFailure.class, () -> clients.authenticate(credential, HERE));
    assertThat(failure == null ? "ok" : failure.reason().id()).isEqualTo(outcome);
    if (failure != null) {
      assertThat(failure.error().code()).isEqualTo(code);
      assertThat(failure.error()).hasMessage(message);
      assertThat(Recorded.value(Metric.AUTHENTICATION_FAILURES, outcome).orElseThrow())
          .isPositive();
    }
  }

  @Test
  void thePrincipalHasWhatTheRowsSay() throws Exception {
    ApiKey key = TestKeys.add(server, "ann");
    TestKeys.set(
        server,
        key,
        "models = '{gpt*,\"a,b\"}', permissions = '{chat,search}', tokens_per_minute = 5");
    server.execute("INSERT INTO teams (id, parallel_calls) VALUES ('red', 7)");
    server.execute(
        "UPDATE users SET team_id = 'red', role = 'admin', requests_per_minute = 6 WHERE id = 'ann'");

    Principal ann = clients.authenticate(key.text(), HERE);

    String id = server.rows("SELECT id FROM api_keys").getFirst().getOrDefault("id", "");
    assertThat(ann)
        .isEqualTo(
            new Principal(
                "ann",
                Role.ADMIN,
                "red",
                id,
                new Grants(Set.of("gpt*", "a,b"), Set.of(Permission.CHAT, Permission.SEARCH)),
                List.of(
                    new ScopedLimits(Scope.KEY, id, new RateLimits(null, 5, null)),
                    new ScopedLimits(Scope.USER, "ann", new RateLimits(6, null, null)),
                    new ScopedLimits(Scope.TEAM, "red", new RateLimits(null, null, 7)))));
  }

  @Test
  void aConfiguredKeyHasTheRoleAndTheTeamOfItsUsersRow() throws Exception {
    assertThat(clients.authenticate(ROOT, HERE).role()).isEqualTo(Role.ADMIN);
    server.execute("INSERT INTO teams (id) VALUES ('red')");
    server.execute("UPDATE users SET role = 'member', team_id = 'red' WHERE id = 'admin'");
    identities.changed();

    Principal admin = clients.authenticate(ROOT, HERE);

    assertThat(admin.role()).isEqualTo(Role.MEMBER);
    assertThat(admin.teamId()).isEqualTo("red");
    assertThat(admin.keyId()).isEqualTo("config:admin");
    assertThat(admin.limits())
        .extracting(ScopedLimits::id)
        .containsExactly("config:admin", "admin", "red");
    server.execute("UPDATE users SET blocked_at = now() WHERE id = 'admin'");
    identities.changed();
    assertOutcome(ROOT, "blocked", "user_blocked", "The user of this API key is blocked.");
  }

  @Test
  void aTokensUserIsCreatedOnceWhereTheIssuerMay() throws Exception {
    assertThat(clients.authenticate("a.b.new", HERE).role()).isEqualTo(Role.MEMBER);
    long version = version();

    assertThat(clients.authenticate("a.b.new", HERE).userId()).isEqualTo("new");
    assertThat(version()).isEqualTo(version);

    server.execute("UPDATE users SET pseudonym = 'erased-1' WHERE id = 'new'");
    identities.changed();
    assertOutcome(
        "a.b.new",
        "refused_token",
        "invalid_api_key",
        "The token stands for no user here, or for a team that does not exist.");
  }

  @Test
  void aTokenThatWasAcceptedIsNotLimitedByTheFailuresOfOthers() throws Exception {
    TestKeys.add(server, "ann");
    assertThat(clients.authenticate("a.b.c", HERE).userId()).isEqualTo("ann");
    while (!outcome("a.b.forged").equals("too_many_failures")) {
      assertThat(outcome("a.b.forged")).isIn("invalid_token", "too_many_failures");
    }

    assertThat(outcome("a.b.admin")).isEqualTo("too_many_failures");
    assertThat(clients.authenticate("a.b.c", HERE).userId()).isEqualTo("ann");
  }

  private String outcome(String credential) {
    AuthenticationFailure failure =
        catchThrowableOfType(
            AuthenticationFailure.class, () -> clients.authenticate(credential, HERE));
    return failure == null ? "ok" : failure.reason().id();
  }

  @Test
  void aTeamThatIsBlockedIsNotLeftByAToken() throws Exception {
    TestKeys.add(server, "ann");
    server.execute("INSERT INTO teams (id, blocked_at) VALUES ('red', null), ('blue', now())");
    server.execute("UPDATE users SET team_id = 'blue' WHERE id = 'ann'");

    assertThat(outcome("a.b.admin")).isEqualTo("blocked");
  }

  @Test
  void aTokensTeamAndRoleTakePrecedence() throws Exception {
    TestKeys.add(server, "ann");
    server.execute("INSERT INTO teams (id, blocked_at) VALUES ('red', null), ('blue', null)");
    server.execute("UPDATE users SET team_id = 'blue' WHERE id = 'ann'");

    assertThat(clients.authenticate("a.b.c", HERE).teamId()).isEqualTo("blue");
    assertThat(clients.authenticate("a.b.c", HERE).role()).isEqualTo(Role.MEMBER);
    assertThat(clients.authenticate("a.b.admin", HERE).teamId()).isEqualTo("red");
    assertThat(clients.authenticate("a.b.admin", HERE).role()).isEqualTo(Role.ADMIN);
    server.execute("UPDATE teams SET blocked_at = now() WHERE id = 'red'");
    identities.changed();
    assertThat(clients.authenticate("a.b.c", HERE).teamId()).isEqualTo("blue");
    assertOutcome("a.b.admin", "blocked", "user_blocked", "The team of this API key is blocked.");
  }

  @Test
  void usersOfConfiguredKeysAreAddedOnceAndStayAsTheyWereChanged() throws Exception {
    server.execute("UPDATE users SET role = 'member', name = 'Root' WHERE id = 'admin'");
    long version = version();

    identities.addMissing(Map.of("admin", Role.ADMIN));
    assertThat(version()).isEqualTo(version);
    identities.addMissing(Map.of("admin", Role.ADMIN, "b\"o\\b", Role.MEMBER, "eve", Role.MEMBER));

    assertThat(server.rows("SELECT id, role FROM users ORDER BY id COLLATE \"C\""))
        .containsExactly(
            Map.of("id", "admin", "role", "member"),
            Map.of("id", "b\"o\\b", "role", "member"),
            Map.of("id", "eve", "role", "member"));
    assertThat(identities.user("b\"o\\b")).isPresent();
  }

  private long version() throws Exception {
    return Long.parseLong(
        server.rows("SELECT version FROM identity_version").getFirst().getOrDefault("version", ""));
  }

  @Test
  void aKeyWithAddressesMayNotBeUsedFromAnUnknownOne() throws Exception {
    ApiKey key = TestKeys.add(server, "ann");
    TestKeys.set(server, key, "addresses = '{::/0,0.0.0.0/0}'");

    assertThat(clients.authenticate(key.text(), "fe80::1%eth0").userId()).isEqualTo("ann");
    assertThatThrownBy(() -> clients.authenticate(key.text(), ""))
        .isInstanceOfSatisfying(
            AuthenticationFailure.class,
            it -> assertThat(it.error().code()).isEqualTo("address_not_allowed"));
  }

  @Test
  void theLastUseIsRecordedLater() throws Exception {
    ApiKey used = TestKeys.add(server, "ann");
    ApiKey refused = TestKeys.add(server, "ann");
    TestKeys.set(server, refused, "revoked_at = now()");
    ApiKey unused = TestKeys.add(server, "ann");

    clients.authenticate(used.text(), HERE);
    clients.authenticate(used.text(), HERE);
    assertOutcome(
        refused.text(), "revoked_key", "invalid_api_key", "The API key has been revoked.");
    assertThat(server.rows("SELECT 1 FROM api_keys WHERE last_used_at IS NOT NULL")).isEmpty();
    long version = version();
    uses.close();

    assertThat(server.rows("SELECT prefix, last_used_at FROM api_keys ORDER BY id"))
        .extracting(it -> it.getOrDefault("prefix", ""), it -> it.containsKey("last_used_at"))
        .containsExactly(
            tuple(used.prefix(), true),
            tuple(refused.prefix(), false),
            tuple(unused.prefix(), false));
    assertThat(version()).as("no replica reloads for it").isEqualTo(version);
  }
}
