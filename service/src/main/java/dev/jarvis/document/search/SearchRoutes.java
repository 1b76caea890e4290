package dev.jarvis.document.search;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.document.Chunk;
import dev.jarvis.document.DatabaseErrors;
import dev.jarvis.document.Embedder;
import dev.jarvis.document.FileId;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Permission;
import dev.jarvis.http.Access;
import dev.jarvis.http.Endpoint;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.JsonResponse;
import dev.jarvis.http.Routes;
import dev.jarvis.http.connection.ClientConnection;
import dev.jarvis.json.Json;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.stream.Collectors;

/** {@code POST /v1/search}: the passages of the user's documents that fit a question best. */
final class SearchRoutes {
  private static final int DEFAULT_RESULTS = 10;
  private static final int MAX_QUESTION_CHARS = 8_192;

  private final HybridSearch search;

  SearchRoutes(HybridSearch search) {
    this.search = search;
  }

  void register(Routes routes) {
    routes.addJson(
        Endpoint.post("/v1/search", Access.KEY)
            .permission(Permission.SEARCH)
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
    String question = question(body.path("query"));
    int limit = body.path("max_num_results").asInt(DEFAULT_RESULTS);
    ClientConnection.current()
        .answer(() -> search(exchange, body, question, limit, response), exchange::clientIsGone);
  }

  /** Several questions are searched as one. */
  private static String question(JsonNode query) {
    if (query.isTextual()) {
      return query.asText();
    }
    String question = query.valueStream().map(JsonNode::asText).collect(Collectors.joining("\n"));
    if (question.length() > MAX_QUESTION_CHARS) {
      throw new ApiException.InvalidRequest(
          "'query' has %d characters in total; the maximum is %d."
              .formatted(question.length(), MAX_QUESTION_CHARS),
          "query",
          "invalid_value");
    }
    return question;
  }

  private void search(
      Exchange exchange, ObjectNode request, String question, int limit, ServerResponse response) {
    SearchedFiles searched = search.searched(String.valueOf(exchange.userId()), request, "");
    HybridSearch.Found found =
        search.search(
            searched,
            Embedder.Payer.of(exchange.caller(), null),
            exchange.requestId(),
            question,
            limit);
    ObjectNode body =
        Json.object()
            .put("object", "search_results.page")
            .<ObjectNode>set("search_query", request.path("query"))
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
    json.set("attributes", passage.attributes());
    json.putArray("content").addObject().put("type", "text").put("text", chunk.text());
    return json;
  }
}
