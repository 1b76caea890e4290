package dev.jarvis.price;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Page;
import dev.jarvis.storage.Sql;
import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.math.BigDecimal;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Statements on the table {@code prices}. */
public final class PriceStore {
  /** How many there may be: each replica has all of them in memory. */
  public static final int MAX_PRICES = 50_000;

  private static final String AMOUNTS =
      "input, cached_input, cache_write, audio_input, output, reasoning, audio_output";
  private static final String COLUMNS =
      "id, provider, model, valid_from, revision, %s, tiers::text AS tiers, source, import_id, imported_at"
          .formatted(AMOUNTS);

  private PriceStore() {}

  /** Selects prices; null for any. */
  public record Filter(@Nullable String provider, @Nullable String model) {}

  /** Returns the next full second of the database's clock: the first that is never in the past. */
  public static Function<DbExecute, Instant> soon() {
    return Sql.get(
            "price_time",
            "SELECT date_trunc('second', now()) + interval '1 second' AS soon",
            it -> instant(it, "soon"))
        .andThen(Optional::orElseThrow);
  }

  /** Returns how many there are. */
  public static Function<DbExecute, Long> count() {
    return Sql.get(
            "count_prices", "SELECT count(*) AS n FROM prices", it -> it.column("n").getLong())
        .andThen(Optional::orElseThrow);
  }

  /** Returns all, of a model the one that counts first. */
  static Function<DbExecute, List<Price>> all() {
    return Sql.list(
        "all_prices",
        "SELECT %s FROM prices ORDER BY valid_from DESC, revision DESC".formatted(COLUMNS),
        it -> read(it).price());
  }

  /** Returns the imported prices of some providers that are in force at a time, one of a model. */
  public static Function<DbExecute, List<StoredPrice>> inForce(
      Collection<String> providers, Instant at) {
    return Sql.list(
        "prices_in_force",
        """
        SELECT DISTINCT ON (provider, model) %s FROM prices
        WHERE provider = ANY(CAST(? AS text[])) AND valid_from <= CAST(? AS timestamptz)
        ORDER BY provider, model, valid_from DESC, revision DESC"""
            .formatted(COLUMNS),
        PriceStore::read,
        Sql.textArray(providers),
        at.toString());
  }

  /** Returns a page of imported prices, in the order of the imports. */
  public static Function<DbExecute, List<StoredPrice>> list(Filter filter, Page page) {
    return Sql.list(
        "list_prices",
        """
        SELECT %s FROM prices
        WHERE (CAST(? AS text) IS NULL OR provider = ?) AND (CAST(? AS text) IS NULL OR model = ?)
          AND %s"""
            .formatted(COLUMNS, page.sql("uuid")),
        PriceStore::read,
        filter.provider(),
        filter.provider(),
        filter.model(),
        filter.model(),
        page.after(),
        page.after(),
        page.limit());
  }

  /**
   * Adds prices, each as the newest revision of its model and time. Nobody else may add any in the
   * meantime.
   */
  public static Function<DbExecute, List<StoredPrice>> insert(UUID importId, List<Price> prices) {
    ArrayNode rows = Json.object().putArray("rows");
    for (Price price : prices) {
      ObjectNode row =
          rows.addObject()
              .put("id", UuidV7.next().toString())
              .put("provider", price.name().provider())
              .put("model", price.name().model())
              .put("valid_from", price.from().toString())
              .put("source", price.source().id());
      PriceJson.add(row, price.tokens());
      row.set("tiers", PriceJson.tiers(price.tiers()));
    }
    return Sql.list(
        "insert_prices",
        """
        INSERT INTO prices (id, provider, model, valid_from, revision, %s, tiers, source, import_id)
        SELECT id, provider, model, valid_from, 1 + coalesce((SELECT max(p.revision) FROM prices p
            WHERE (p.provider, p.model, p.valid_from) = (n.provider, n.model, n.valid_from)), 0),
          %s, tiers, source, CAST(? AS uuid)
        FROM jsonb_to_recordset(CAST(? AS jsonb)) AS n (id uuid, provider text, model text, valid_from timestamptz,
          input numeric, cached_input numeric, cache_write numeric, audio_input numeric, output numeric,
          reasoning numeric, audio_output numeric, tiers jsonb, source text)
        RETURNING %s"""
            .formatted(AMOUNTS, AMOUNTS, COLUMNS),
        PriceStore::read,
        importId,
        rows.toString());
  }

  private static StoredPrice read(DbRow row) {
    Price price =
        new Price(
            new TargetName(row.column("provider").getString(), row.column("model").getString()),
            instant(row, "valid_from"),
            Price.Source.valueOf(row.column("source").getString().toUpperCase(Locale.ROOT)),
            new TokenPrices(
                amount(row, "input"),
                amount(row, "cached_input"),
                amount(row, "cache_write"),
                amount(row, "audio_input"),
                amount(row, "output"),
                amount(row, "reasoning"),
                amount(row, "audio_output")),
            PriceJson.tiers(row.column("tiers").getString()),
            BigDecimal.ZERO,
            null);
    return new StoredPrice(
        row.column("id").get(UUID.class),
        price,
        row.column("revision").getInt(),
        row.column("import_id").get(UUID.class),
        instant(row, "imported_at"));
  }

  private static @Nullable BigDecimal amount(DbRow row, String column) {
    return row.column(column).get(BigDecimal.class);
  }

  private static Instant instant(DbRow row, String column) {
    return row.column(column).get(Timestamp.class).toInstant();
  }
}
