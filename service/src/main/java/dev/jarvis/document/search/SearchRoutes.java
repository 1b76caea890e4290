package dev.jarvis.document.search;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Chunk;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.document.FileId;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.json.Json;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.UUID;

/** {@code POST /v1/search}: the passages of the user's documents that fit a question best. */
final class SearchRoutes {
  private static final int DEFAULT_RESULTS = 10;

  private final HybridSearch search;

  SearchRoutes(HybridSearch search) {
    this.search = search;
  }

  void register(Routes routes) {
    routes.addJson(
        Endpoint.post("/v1/search", Access.KEY)
            .operation(
                "documents",
                "search",
                "Finds the passages of the user's documents that fit a question best.")
            .body("document/search/SearchRequest")
            .answer(200, "The passages, the best first.", "document/search/SearchResults")
            .errors(404),
        (body, request, response) ->
            DatabaseErrors.reported((req, res) -> search(body, req, res))
                .handle(request, response));
  }

  private void search(ObjectNode body, ServerRequest request, ServerResponse response) {
    Exchange exchange = Exchange.of(request);
    String question = body.path("query").asText();
    int limit = body.path("max_num_results").asInt(DEFAULT_RESULTS);
    List<String> files = HybridSearch.fileIds(body);
    ClientConnection.current()
        .answer(() -> search(exchange, files, question, limit, response), exchange::clientIsGone);
  }

  private void search(
      Exchange exchange, List<String> files, String question, int limit, ServerResponse response) {
    String user = String.valueOf(exchange.userId());
    List<UUID> ids = search.searchable(user, files, "file_ids");
    HybridSearch.Found found = search.search(user, exchange.requestId(), ids, question, limit);
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

  private static ObjectNode json(Passage passage) {
    Chunk chunk = passage.chunk();
    ObjectNode json =
        Json.object()
            .put("file_id", FileId.of(passage.documentId()))
            .put("filename", passage.filename())
            .put("score", passage.score())
            .put("chunk", chunk.ordinal())
            .put("page", chunk.page() == 0 ? null : (Integer) chunk.page())
            .put("heading", chunk.heading().isEmpty() ? null : chunk.heading());
    json.putObject("attributes");
    json.putArray("content").addObject().put("type", "text").put("text", chunk.text());
    return json;
  }
}
