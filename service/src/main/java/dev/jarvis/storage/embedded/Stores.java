package dev.jarvis.storage.embedded;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.DatabaseConfig;
import dev.jarvis.storage.ObjectStore;
import dev.jarvis.storage.ObjectStoreConfig;
import dev.jarvis.storage.PostgresUrl;
import dev.jarvis.storage.Redis;
import dev.jarvis.storage.RedisConfig;
import dev.jarvis.storage.S3ObjectStore;
import dev.jarvis.telemetry.Telemetry;
import java.io.IOException;
import java.nio.file.Path;

/** Opens the configured stores, or the embedded ones if no URL is configured. */
public final class Stores {
  private Stores() {}

  /**
   * Waits for PostgreSQL, brings the schema up to date and opens the pool.
   *
   * @param home the parent of {@code postgres}, the embedded server's folder
   * @throws IOException if PostgreSQL does not answer within the configured time, refuses the user
   *     or the database, or the embedded server does not start
   * @throws org.flywaydb.core.api.FlywayException if a migration fails
   */
  public static Database database(DatabaseConfig config, Path home, Telemetry telemetry)
      throws IOException {
    if (config.url() != null) {
      return Database.open(PostgresUrl.of(config), config, telemetry, () -> {});
    }
    LocalPostgres server = LocalPostgres.start(home.resolve("postgres"));
    try {
      return Database.open(server.url(), config, telemetry, server);
    } catch (Throwable e) { // also an Error: the server must not outlive the process
      server.close();
      throw e;
    }
  }

  /**
   * Connects to Redis. If it is unavailable, the client connects in the background later.
   *
   * @param home the parent of {@code redis}, the embedded server's folder
   * @throws IOException if the embedded server does not start
   */
  public static Redis redis(RedisConfig config, Path home, Telemetry telemetry) throws IOException {
    if (config.url() != null) {
      return Redis.open(config.uri(), config, telemetry, () -> {});
    }
    LocalRedis server = LocalRedis.start(home.resolve("redis"));
    try {
      return Redis.open(server.uri(), config, telemetry, server);
    } catch (Throwable e) {
      server.close();
      throw e;
    }
  }

  /**
   * Opens the object store. If the S3 service is unavailable, the bucket is created in the
   * background later.
   *
   * @param home the parent of {@code objects}, the local store's folder
   * @throws IOException if the local folder cannot be created
   * @throws IllegalArgumentException if the endpoint or the bucket's name is not valid
   */
  public static ObjectStore objects(ObjectStoreConfig config, Path home, Telemetry telemetry)
      throws IOException {
    return config.endpoint() == null
        ? LocalObjectStore.open(home.resolve("objects").resolve(config.bucket()), telemetry)
        : S3ObjectStore.open(config, telemetry);
  }
}
