package dev.jarvis.admin;

import static dev.jarvis.admin.AdminEndpoints.describe;
import static dev.jarvis.admin.AdminEndpoints.reported;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.error.ApiException;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.id.UuidV7;
import dev.jarvis.price.LiteLlmCatalogue;
import dev.jarvis.price.PriceStore;
import dev.jarvis.storage.Database;
import dev.jarvis.storage.Page;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** {@code /v1/admin/prices}: prices from a published list, which are added and never changed. */
final class PriceRoutes {
  private static final String PATH = "/v1/admin/prices";

  private final Database database;
  private final Changes changes;
  private final Set<String> providers;

  /**
   * @param providers that the configuration may name
   */
  PriceRoutes(Database database, Changes changes, Set<String> providers) {
    this.database = database;
    this.changes = changes;
    this.providers = new TreeSet<>(providers);
  }

  void register(Routes routes) {
    routes
        .addJson(
            describe(
                    Endpoint.post(PATH + "/import", Access.ADMIN),
                    "importPrices",
                    "Imports prices from LiteLLM's list of models, or only tries to.")
                .query("admin/PriceImportQuery")
                .body("admin/PriceCatalogue")
                .answer(200, "What was imported, and what was not.", "admin/PriceImport")
                .errors(409),
            reported(this::importPrices))
        .add(
            describe(Endpoint.get(PATH, Access.ADMIN), "listPrices", "Lists the imported prices.")
                .query("admin/PriceListQuery")
                .answer(200, "A page of prices.", "admin/PriceList"),
            DatabaseErrors.reported(this::list));
  }

  private void importPrices(ObjectNode file, ServerRequest request, ServerResponse response) {
    Map<String, String> wanted = wanted(String.valueOf(Listing.query(request, "providers")));
    Instant from = from(Listing.query(request, "from"));
    LiteLlmCatalogue.Content content = LiteLlmCatalogue.read(file, wanted);
    if (!"false".equals(Listing.query(request, "dry_run"))) {
      JsonResponse.send(
          response, database.execute(db -> PriceImport.of(db, content, wanted, from)).json(null));
      return;
    }
    UUID id = UuidV7.next();
    PriceImport done =
        changes.make(
            Exchange.of(request),
            db -> {
              PriceImport change = PriceImport.of(db, content, wanted, from);
              var _ = change.store(id).apply(db);
              return new Change<>(
                  Action.PRICE_IMPORT,
                  id.toString(),
                  null,
                  null,
                  change.summary(id, wanted),
                  change);
            });
    JsonResponse.send(response, done.json(id));
  }

  private static @Nullable Instant from(@Nullable String seconds) {
    return seconds == null ? null : Instant.ofEpochSecond(Long.parseLong(seconds));
  }

  /** Providers of the configuration by those in the file. */
  private Map<String, String> wanted(String pairs) {
    Map<String, String> wanted = new TreeMap<>();
    for (String pair : pairs.split(",", -1)) {
      String[] names = pair.split(":", -1);
      if (!providers.contains(names[1])) {
        throw invalid(
            "'providers' names '%s', which is no provider; the providers are %s."
                .formatted(names[1], String.join(", ", providers)));
      }
      if (wanted.put(names[0], names[1]) != null) {
        throw invalid("'providers' names '%s' of the file twice.".formatted(names[0]));
      }
    }
    return wanted;
  }

  private static ApiException invalid(String message) {
    return Fields.invalid(message, "providers");
  }

  private void list(ServerRequest request, ServerResponse response) {
    Page page = Listing.byTime(request);
    PriceStore.Filter filter =
        new PriceStore.Filter(Listing.query(request, "provider"), Listing.query(request, "model"));
    Listing.send(
        response,
        page,
        database.execute(PriceStore.list(filter, page)).stream().map(AdminObject::price).toList());
  }
}
