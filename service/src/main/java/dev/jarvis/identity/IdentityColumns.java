package dev.jarvis.identity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.gateway.RateLimits;
import dev.jarvis.json.Json;
import dev.jarvis.json.SharedBuffers;
import io.helidon.dbclient.DbRow;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Columns that the tables of users, teams, keys and actions share, as Java values. */
final class IdentityColumns {
  /** What {@link #limits} reads. */
  static final String LIMITS = "requests_per_minute, tokens_per_minute, parallel_calls";

  /** A parameter for a column of times. */
  static final String TIME = "to_timestamp(CAST(CAST(? AS bigint) AS double precision) / 1000)";

  /** A parameter for a column {@code text[]}. */
  static final String TEXTS = "ARRAY(SELECT jsonb_array_elements_text(CAST(? AS jsonb)))";

  /** Three parameters for the limits. */
  static final String LIMIT_VALUES = "CAST(? AS integer), CAST(? AS integer), CAST(? AS integer)";

  private static final ObjectMapper MAPPER = SharedBuffers.mapper();

  private IdentityColumns() {}

  /** A text or null: {@code getString} refuses null. */
  static @Nullable String text(DbRow row, String column) {
    return row.column(column).get(String.class);
  }

  static @Nullable UUID uuid(DbRow row, String column) {
    return row.column(column).get(UUID.class);
  }

  static @Nullable Instant time(DbRow row, String column) {
    Timestamp time = row.column(column).get(Timestamp.class);
    return time == null ? null : time.toInstant();
  }

  static Instant instant(DbRow row, String column) {
    return row.column(column).get(Timestamp.class).toInstant();
  }

  static RateLimits limits(DbRow row) {
    return new RateLimits(
        row.column("requests_per_minute").get(Integer.class),
        row.column("tokens_per_minute").get(Integer.class),
        row.column("parallel_calls").get(Integer.class));
  }

  /** Reads a column that was selected as JSON in a text; null if it is null. */
  static @Nullable JsonNode json(DbRow row, String column) {
    String text = text(row, column);
    try {
      return text == null ? null : MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // PostgreSQL writes valid JSON
    }
  }

  static List<String> texts(DbRow row, String column) {
    JsonNode array = json(row, column);
    return array == null ? List.of() : array.valueStream().map(JsonNode::asText).toList();
  }

  /** The value of {@link #TIME}. */
  static @Nullable Long millis(@Nullable Instant time) {
    return time == null ? null : (Long) time.toEpochMilli();
  }

  /** The value of {@link #TEXTS}. */
  static String array(List<String> texts) {
    var array = Json.object().putArray("texts");
    texts.forEach(array::add);
    return array.toString();
  }
}
