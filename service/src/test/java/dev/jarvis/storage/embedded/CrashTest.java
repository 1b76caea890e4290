package dev.jarvis.storage.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.Programs;
import dev.jarvis.config.Configs;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.Recorded;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.telemetry.Telemetry;
import io.helidon.dbclient.DbRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A killed JARVIS leaves its servers running; the next one must stop them and find the data. */
class CrashTest {
  private static final DatabaseConfig DATABASE =
      Configs.of(DatabaseConfig.class, Map.of("query-timeout", "20s"));
  private static final RedisConfig REDIS =
      Configs.of(RedisConfig.class, Map.of("command-timeout", "20s"));

  @TempDir Path home;

  /** A process that writes and then halts without shutdown hooks, as if by {@code kill -9}. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] args) throws Exception {
      Path home = Path.of(args[0]);
      Telemetry telemetry = Recorded.start();
      Redis redis = Stores.redis(REDIS, home, telemetry);
      redis.send(it -> it.set("k", "v")).toCompletableFuture().get(20, TimeUnit.SECONDS);
      // Redis syncs its log each second; CONFIG SET makes it sync before it replies
      redis
          .send(it -> it.configSet("appendfsync", "always"))
          .toCompletableFuture()
          .get(20, TimeUnit.SECONDS);
      Database database = Stores.database(DATABASE, home, telemetry);
      database.execute(
          db -> db.createNamedDmlStatement("create", "CREATE TABLE survivor (id int)").execute());
      Runtime.getRuntime().halt(137);
    }
  }

  @Test
  void continuesAfterAKill() throws Exception {
    Process victim =
        new ProcessBuilder(Programs.java(Victim.class, home.toString())).inheritIO().start();
    assertThat(victim.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(victim.exitValue()).isEqualTo(137);
    ProcessHandle postgres = running("postgres/data", "postmaster.pid");
    ProcessHandle redisServer = running("redis", "redis.pid");

    try (Telemetry telemetry = Recorded.start();
        Redis redis = Stores.redis(REDIS, home, telemetry);
        Database database = Stores.database(DATABASE, home, telemetry)) {
      assertThat(redis.send(it -> it.get("k")).toCompletableFuture().get(20, TimeUnit.SECONDS))
          .isEqualTo("v");
      Optional<DbRow> count =
          database.execute(
              db -> db.createNamedGet("count", "SELECT count(*) FROM survivor").execute());
      assertThat(count).isPresent();
      await()
          .atMost(Duration.ofSeconds(20)) // until the machine's init process has reaped them
          .until(() -> !postgres.isAlive() && !redisServer.isAlive());
    }
    assertThat(home.resolve("postgres/data/postmaster.pid")).doesNotExist();
  }

  private ProcessHandle running(String folder, String pidFile) throws IOException {
    Path file = home.resolve(folder).resolve(pidFile);
    String pid = Files.readAllLines(file).getFirst().strip();
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }
}
