package dev.jarvis.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Page;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Lists in pages, as OpenAI's lists of files: each page begins after an id. */
final class Listing {
  private static final String DEFAULT_LIMIT = "100";
  private static final Pattern UUID_FORM =
      Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

  private Listing() {}

  /** The page that a request asks for, by ids that administrators chose, from A on. */
  static Page byName(ServerRequest request) {
    return page(request, query(request, "after"), "asc");
  }

  /** The page that a request asks for, by UUIDs, the newest first. */
  static Page byTime(ServerRequest request) {
    String after = query(request, "after");
    if (after != null && uuid(after).isEmpty()) {
      throw Fields.invalid("'after' is '%s'; it must be a UUID.".formatted(after), "after");
    }
    return page(request, after, "desc");
  }

  private static Page page(ServerRequest request, @Nullable String after, String order) {
    int limit = Integer.parseInt(request.query().first("limit").orElse(DEFAULT_LIMIT));
    return new Page(
        after, request.query().first("order").orElse(order).equals("asc"), limit + 1); // one more
  }

  /** Sends a page of which one object more than wanted was looked up. */
  static void send(ServerResponse response, Page page, List<ObjectNode> found) {
    boolean more = found.size() >= page.limit();
    List<ObjectNode> shown = more ? found.subList(0, page.limit() - 1) : found;
    ObjectNode body = Json.object().put("object", "list");
    ArrayNode data = body.putArray("data");
    shown.forEach(data::add);
    body.<ObjectNode>set("first_id", shown.isEmpty() ? nothing() : shown.getFirst().get("id"))
        .<ObjectNode>set("last_id", shown.isEmpty() ? nothing() : shown.getLast().get("id"))
        .put("has_more", more);
    JsonResponse.send(response, body);
  }

  private static JsonNode nothing() {
    return Json.object().nullNode();
  }

  static @Nullable String query(ServerRequest request, String name) {
    return request.query().first(name).orElse(null);
  }

  /** Reads a UUID in its usual form; empty if the text has another. */
  static Optional<UUID> uuid(String text) {
    return UUID_FORM.matcher(text).matches()
        ? Optional.of(UUID.fromString(text))
        : Optional.empty();
  }
}
