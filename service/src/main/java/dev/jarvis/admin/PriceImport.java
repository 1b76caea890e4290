package dev.jarvis.admin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.json.Json;
import dev.jarvis.price.LiteLlmCatalogue;
import dev.jarvis.price.LiteLlmCatalogue.Offer;
import dev.jarvis.price.Price;
import dev.jarvis.price.PriceJson;
import dev.jarvis.price.PriceStore;
import dev.jarvis.price.StoredPrice;
import io.helidon.dbclient.DbExecute;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a file would change: prices that differ from the imported ones in force at the time from
 * which they hold.
 */
record PriceImport(
    Instant from, LiteLlmCatalogue.Content file, List<Offer> added, List<Offer> unchanged) {

  /**
   * Compares a file with what there is.
   *
   * @param wanted from when the prices hold; null for now
   * @throws ApiException.InvalidRequest if that is in the past
   * @throws ApiException.Conflict if there would be too many prices
   */
  static PriceImport of(
      DbExecute db,
      LiteLlmCatalogue.Content file,
      Map<String, String> providers,
      @Nullable Instant wanted) {
    Instant soon = PriceStore.soon().apply(db);
    Instant from = wanted == null ? soon : wanted;
    if (from.isBefore(soon)) {
      throw Fields.invalid(
          "'from' is %d; it must be a time in the future, in seconds since 1970: prices never change the past."
              .formatted(from.getEpochSecond()),
          "from");
    }
    Map<TargetName, Price> present =
        PriceStore.inForce(new TreeSet<>(providers.values()), from).apply(db).stream()
            .map(StoredPrice::price)
            .collect(Collectors.toMap(Price::name, it -> it));
    List<Offer> added = new ArrayList<>();
    List<Offer> unchanged = new ArrayList<>();
    for (Offer offer : file.offers()) {
      (isSame(offer, present.get(offer.name())) ? unchanged : added).add(offer);
    }
    long count = PriceStore.count().apply(db) + added.size();
    if (count > PriceStore.MAX_PRICES) {
      throw new ApiException.Conflict(
          "There would be %d imported prices; the maximum is %d. Import fewer providers."
              .formatted(count, PriceStore.MAX_PRICES),
          null,
          "too_many_prices");
    }
    return new PriceImport(from, file, added, unchanged);
  }

  private static boolean isSame(Offer offer, @Nullable Price present) {
    return present != null
        && present.tokens().equals(offer.tokens())
        && present.tiers().equals(offer.price(present.from()).tiers());
  }

  /** Adds the prices. */
  Function<DbExecute, List<StoredPrice>> store(UUID id) {
    return PriceStore.insert(id, added.stream().map(it -> it.price(from)).toList());
  }

  /**
   * The response.
   *
   * @param id of the import; null if it was only tried
   */
  ObjectNode json(@Nullable UUID id) {
    ObjectNode json = head(id).put("dry_run", id == null);
    ArrayNode prices = json.putArray("added");
    for (Offer offer : added) {
      ObjectNode price =
          prices
              .addObject()
              .put("provider", offer.name().provider())
              .put("model", offer.name().model());
      PriceJson.add(price.putObject("tokens"), offer.tokens());
      price.set("tiers", PriceJson.tiers(offer.tiers()));
    }
    ArrayNode same = json.putArray("unchanged");
    unchanged.forEach(it -> same.add(it.name().toString()));
    ArrayNode skipped = json.putArray("skipped");
    file.skipped()
        .forEach(it -> skipped.addObject().put("entry", it.entry()).put("reason", it.reason()));
    ObjectNode others = json.putObject("other_providers");
    file.others().forEach(others::put);
    return json;
  }

  /** For the audit log: what was imported, in numbers. */
  ObjectNode summary(UUID id, Map<String, String> providers) {
    ObjectNode json = head(id);
    ObjectNode names = json.putObject("providers");
    providers.forEach(names::put);
    return json.put("added", added.size())
        .put("unchanged", unchanged.size())
        .put("skipped", file.skipped().size());
  }

  private ObjectNode head(@Nullable UUID id) {
    return Json.object()
        .put("id", id == null ? null : id.toString())
        .put("object", "price_import")
        .put("from", from.getEpochSecond());
  }
}
