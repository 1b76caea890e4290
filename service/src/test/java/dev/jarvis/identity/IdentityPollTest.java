package dev.jarvis.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.jarvis.config.Configs;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.embedded.Stores;
import dev.jarvis.storage.embedded.TestDatabase;
import dev.jarvis.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One poll after the commit of a change is enough for a replica, so that the change acts within the
 * period of the polls and the time that one takes.
 */
class IdentityPollTest {
  @TempDir private Path home;

  private TestDatabase rows;
  private Telemetry telemetry;
  private Database database;
  private Identities identities;
  private KeyUse uses;
  private Authenticator clients;

  @BeforeEach
  void open() throws Exception {
    rows = TestDatabase.create();
    telemetry = Recorded.start();
    database = Stores.database(rows.config(2, Duration.ofSeconds(5)), home, telemetry);
    IdentityConfig config = Configs.of(IdentityConfig.class, Map.of());
    identities = new Identities(config, database, telemetry.instruments());
    uses = new KeyUse(database, 10);
    clients =
        new Authenticator(
            config,
            ApiKeys.open(List.of(), home.resolve("hash"), key -> {}),
            identities,
            uses,
            null,
            telemetry.instruments());
  }

  @AfterEach
  void close() throws Exception {
    uses.close();
    identities.close();
    database.close();
    telemetry.close();
    rows.close();
  }

  private String outcome(ApiKey key) {
    AuthenticationFailure failure =
        catchThrowableOfType(
            AuthenticationFailure.class, () -> clients.authenticate(key.text(), "198.51.100.7"));
    return failure == null ? "ok" : String.valueOf(failure.error().code());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = IdentityChanges.REFUSED)
  void endsTheUseOfAKey(String change, int status, String code) throws Exception {
    ApiKey key = IdentityChanges.add(rows, "ann");
    assertThat(outcome(key)).isEqualTo("ok");
    IdentityChanges.make(rows, change, key, "ann");

    identities.changed(); // polls once

    assertThat(outcome(key)).isEqualTo(code);
  }

  @Test
  void showsAKeyThatWasUnknown() throws Exception {
    ApiKey key = TestKeys.add(rows, "ann");
    rows.execute("CREATE TABLE kept AS SELECT * FROM api_keys");
    rows.execute("DELETE FROM api_keys");
    assertThat(outcome(key)).isEqualTo("invalid_api_key");
    rows.execute("INSERT INTO api_keys SELECT * FROM kept");

    identities.changed();

    assertThat(outcome(key)).isEqualTo("ok");
  }

  @Test
  void givesAUserAccessAgain() throws Exception {
    ApiKey key = TestKeys.add(rows, "ann");
    rows.execute("UPDATE users SET blocked_at = now()");
    assertThat(outcome(key)).isEqualTo("user_blocked");
    rows.execute("UPDATE users SET blocked_at = NULL");

    identities.changed();

    assertThat(outcome(key)).isEqualTo("ok");
  }
}
