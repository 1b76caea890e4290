package dev.jarvis.document.search;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.FileId;
import dev.jarvis.document.FileRoutes;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Fields;
import dev.jarvis.http.JsonBody;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.json.Json;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** {@code POST /v1/search}: the passages of the user's documents that fit a question best. */
public final class SearchRoutes {
  static final int MAX_QUESTION_CHARS = 8_192;
  static final int MAX_FILES = 100;
  private static final int MAX_RESULTS = 50;
  private static final int DEFAULT_RESULTS = 10;

  private final JsonBody bodies;
  private final Search search;

  public SearchRoutes(JsonBody bodies, Search search) {
    this.bodies = bodies;
    this.search = search;
  }

  public void register(Routes routes) {
    routes.post("/v1/search", Routes.Access.KEY, FileRoutes.stored(this::search));
  }

  private void search(ServerRequest request, ServerResponse response) {
    Exchange exchange = Exchange.of(request);
    Fields fields = new Fields(bodies.object(request));
    String question = fields.requiredText("query");
    if (question.length() > MAX_QUESTION_CHARS) {
      throw Fields.invalid(
          "query", "'query' has at most %d characters.".formatted(MAX_QUESTION_CHARS), null);
    }
    int limit = fields.whole("max_num_results", 1, MAX_RESULTS).orElse(DEFAULT_RESULTS);
    List<String> files = fileIds(fields, "file_ids");
    ClientConnection.current()
        .answer(() -> search(exchange, files, question, limit, response), exchange::clientIsGone);
  }

  private void search(
      Exchange exchange, List<String> files, String question, int limit, ServerResponse response) {
    String user = String.valueOf(exchange.userId());
    List<UUID> ids = search.searchable(user, files, "file_ids");
    Search.Found found = search.search(user, exchange.requestId(), ids, question, limit);
    ObjectNode body =
        Json.object()
            .put("object", "search_results.page")
            .put("search_query", question)
            .put("mode", found.hybrid() ? "hybrid" : "full_text")
            .put("pending_files", found.pending());
    ArrayNode data = body.putArray("data");
    found.passages().forEach(it -> data.add(json(it)));
    JsonResponse.send(response, body.put("has_more", false).putNull("next_page"));
  }

  /** The ids of files in a field; empty where it is absent. */
  static List<String> fileIds(Fields fields, String name) {
    JsonNode array = fields.array(name);
    List<String> ids = new ArrayList<>();
    if (array == null) {
      return ids;
    }
    if (array.isEmpty() || array.size() > MAX_FILES) {
      throw Fields.invalid(
          fields.prefix() + name,
          "'%s%s' names 1 to %d files.".formatted(fields.prefix(), name, MAX_FILES),
          null);
    }
    for (JsonNode id : array) {
      if (!id.isTextual()) {
        throw Fields.invalid(
            fields.prefix() + name,
            "'%s%s' must be an array of ids of files.".formatted(fields.prefix(), name),
            "invalid_type");
      }
      ids.add(id.textValue());
    }
    return ids;
  }

  private static ObjectNode json(Passage passage) {
    ObjectNode json =
        Json.object()
            .put("file_id", FileId.of(passage.documentId()))
            .put("filename", passage.filename())
            .put("score", passage.score())
            .put("chunk", passage.chunk())
            .put("page", passage.page() == 0 ? null : (Integer) passage.page());
    json.putObject("attributes");
    json.putArray("content").addObject().put("type", "text").put("text", passage.text());
    return json;
  }
}
