package dev.jarvis.chaos;

import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.api.sync.RedisCommands;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What the stores hold for calls that are not settled, or whose amounts no base contains. */
final class Reservations {
  private static final String KEYS = "jarvis:{budgets}:*";

  /** Hashes whose fields are replicas, not calls. */
  private static final String OF_REPLICAS = "jarvis:{budgets}:since";

  private static final String CALL =
      "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";

  private Reservations() {}

  /** Describes each call that is left in Redis or PostgreSQL. */
  static List<String> left(RedisNode redis, PostgresNode postgres) {
    Map<String, Set<String>> left = redis.call(Reservations::inRedis);
    postgres
        .query("SELECT call_id FROM budget_holds")
        .forEach(it -> left.computeIfAbsent(it, call -> new HashSet<>()).add("budget_holds"));
    Set<String> known = new HashSet<>(postgres.query("SELECT id FROM ledger_entries"));
    List<String> described = new ArrayList<>();
    left.forEach(
        (call, places) ->
            described.add(
                "call %s %s in %s"
                    .formatted(
                        call,
                        known.contains(call) ? "of the ledger" : "without an entry",
                        places)));
    return described;
  }

  /** The keys in which each call is. */
  private static Map<String, Set<String>> inRedis(RedisCommands<String, String> redis) {
    Map<String, Set<String>> calls = new TreeMap<>();
    ScanCursor cursor = ScanCursor.INITIAL;
    do {
      KeyScanCursor<String> page = redis.scan(cursor, ScanArgs.Builder.matches(KEYS).limit(1000));
      for (String key : page.getKeys()) {
        if (redis.type(key).equals("hash") && !key.equals(OF_REPLICAS)) {
          redis.hkeys(key).stream()
              .filter(it -> it.matches(CALL))
              .forEach(it -> calls.computeIfAbsent(it, call -> new HashSet<>()).add(key));
        }
      }
      cursor = page;
    } while (!cursor.isFinished());
    return calls;
  }
}
