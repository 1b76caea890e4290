package dev.jarvis.chaos;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.api.sync.RedisCommands;
import java.util.ArrayList;
import java.util.List;

/** What the stores hold for calls that are not settled. */
final class Reservations {
  private static final String KEYS = "jarvis:{budgets}:*";

  private Reservations() {}

  /** Describes each reservation that is left in Redis or PostgreSQL. */
  static List<String> left(RedisNode redis, PostgresNode postgres) {
    List<String> left = new ArrayList<>(redis.call(Reservations::inRedis));
    if (!postgres.query("SELECT to_regclass('budget_holds')").contains(null)) {
      postgres
          .query("SELECT budget_holds::text FROM budget_holds")
          .forEach(it -> left.add("budget_holds: " + it));
    }
    return left;
  }

  private static List<String> inRedis(RedisCommands<String, String> redis) {
    List<String> left = new ArrayList<>();
    ScanCursor cursor = ScanCursor.INITIAL;
    do {
      KeyScanCursor<String> page = redis.scan(cursor, ScanArgs.Builder.matches(KEYS).limit(1000));
      for (String key : page.getKeys()) {
        if (redis.type(key).equals("hash")) {
          redis.hkeys(key).stream()
              .filter(Reservations::isCall)
              .forEach(it -> left.add(key + " " + it));
        }
      }
      cursor = page;
    } while (!cursor.isFinished());
    return left;
  }

  /** The fields of calls are named by their ids. */
  private static boolean isCall(String field) {
    return field.matches(".*[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}.*");
  }
}
