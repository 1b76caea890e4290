package dev.jarvis.document.search;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.document.Document;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.DocumentConfig;
import dev.jarvis.document.Embedder;
import dev.jarvis.document.Embedder.Payer;
import dev.jarvis.document.EmbeddingWindow;
import dev.jarvis.document.FileStore;
import dev.jarvis.error.ApiException;
import dev.jarvis.limit.Admission;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds passages by words and, where an embedding model is configured, by meaning. The two rankings
 * are joined by reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009), in which a rank
 * by words counts as much as the passage has of the question's words. Thread-safe.
 */
final class HybridSearch {
  private static final Logger LOG = LoggerFactory.getLogger(HybridSearch.class);

  /**
   * The constant k of that paper, which is 60 there: with that, a passage that is far down in both
   * rankings precedes the first one of either.
   */
  private static final int RANK_OFFSET = 10;

  /** How long an attempt at a provider may take to embed the question. */
  private static final Duration EMBED_LIMIT = Duration.ofSeconds(5);

  /** How many passages of each ranking are considered. */
  private static final int DEPTH = 100;

  /** A file's vectors are of one model; a route with several, or its change, leads to several. */
  private static final int MAX_MODELS = 3;

  private final WordSearch words;
  private final FileStore files;
  private final PassageStore passages;
  private final @Nullable Embedder embedder;
  private final SearchTelemetry telemetry;
  private final Admission admission;

  /**
   * The result of a search.
   *
   * @param hybrid whether passages were ranked by meaning too
   * @param pending how many of the user's files are still to be processed
   */
  record Found(List<Passage> passages, boolean hybrid, long pending) {}

  HybridSearch(
      DocumentConfig config,
      FileStore files,
      WordSearch words,
      PassageStore passages,
      @Nullable Embedder embedder,
      SearchTelemetry telemetry) {
    this.words = words;
    this.files = files;
    this.passages = passages;
    this.embedder = embedder;
    this.telemetry = telemetry;
    this.admission = new Admission("searches", config.queues().searches(), telemetry.waiting());
  }

  private static List<String> fileIds(JsonNode fields) {
    return fields.path("file_ids").valueStream().map(JsonNode::asText).toList();
  }

  /**
   * Returns the documents that a request or its grounding names with {@code file_ids} and {@code
   * filters}.
   *
   * @param path before the names of these fields, for errors
   * @throws ApiException if the user does not have one of the files, or it cannot be searched, or a
   *     filter is not valid
   */
  SearchedFiles searched(String user, JsonNode fields, String path) {
    Filter filter = FilterReader.read(fields.path("filters"), path + "filters");
    String param = path + "file_ids";
    List<UUID> ids = new ArrayList<>();
    for (Document document : require(user, fileIds(fields), param)) {
      checkSearchable(document, param);
      ids.add(document.id());
    }
    return new SearchedFiles(user, ids, filter);
  }

  private List<Document> require(String user, List<String> fileIds, String param) {
    if (fileIds.isEmpty()) {
      return List.of();
    }
    try (Admission.Permit ignored = admission.acquire(user)) {
      return files.require(user, fileIds, param);
    }
  }

  private static void checkSearchable(Document document, String param) {
    if (document.state() == State.FAILED) {
      Failure error = document.progress().error();
      throw new ApiException.InvalidRequest(
          "The file '%s' could not be processed: %s"
              .formatted(document.fileId(), error == null ? "" : error.message()),
          param,
          "file_failed");
    }
    if (document.state() == State.PENDING) {
      throw new ApiException.InvalidRequest(
          "The file '%s' cannot be searched yet; its stage is '%s'. GET /v1/files/%s reports the progress."
              .formatted(document.fileId(), document.stage().id(), document.fileId()),
          param,
          "file_not_ready");
    }
  }

  /**
   * Returns the passages that fit the question best.
   *
   * @throws ApiException.Overloaded if no permit to search becomes free in time
   */
  Found search(SearchedFiles searched, Payer payer, String requestId, String question, int limit) {
    long start = System.nanoTime();
    Span span = telemetry.start();
    try (Scope ignored = span.makeCurrent()) {
      String text = question.replace("\0", "");
      // without a permit, which limits the use of the database only
      List<Embedder.Vectors> vectors = embed(requestId, payer, text, models(searched));
      Found found;
      try (Admission.Permit ignoredToo = admission.acquire(searched.user())) {
        found = search(searched, text, vectors, limit);
      }
      telemetry.found(found.passages(), span);
      span.setAttribute("jarvis.search.passages", found.passages().size());
      telemetry.searched(found.hybrid(), Duration.ofNanos(System.nanoTime() - start));
      return found;
    } finally {
      span.end();
    }
  }

  private Found search(
      SearchedFiles searched, String text, List<Embedder.Vectors> questions, int limit) {
    Map<PassageId, Double> scores = new HashMap<>();
    List<List<PassageId>> near = questions.stream().map(it -> near(searched, it)).toList();
    boolean hybrid = !near.stream().allMatch(List::isEmpty);
    List<WordSearch.Match> matches = words.search(searched, text, DEPTH);
    for (int rank = 0; rank < matches.size(); rank++) {
      WordSearch.Match it = matches.get(rank);
      scores.put(it.passage(), score(rank) * (hybrid ? it.share() / 2 : 1));
    }
    for (List<PassageId> ranking : near) { // each has other documents: they are one ranking
      for (int rank = 0; rank < ranking.size(); rank++) {
        scores.merge(ranking.get(rank), score(rank) / 2, Double::sum);
      }
    }
    List<Passage> found = passages.load(searched.user(), best(scores, limit));
    return new Found(found, hybrid, files.pending(searched.user()));
  }

  /** Returns the models whose vectors the searched documents have. */
  private List<String> models(SearchedFiles searched) {
    if (embedder == null) {
      return List.of();
    }
    try (Admission.Permit ignored = admission.acquire(searched.user())) {
      return passages.models(searched, MAX_MODELS);
    }
  }

  /** Returns the question's vectors by the models that do not fail. */
  private List<Embedder.Vectors> embed(
      String requestId, Payer payer, String text, List<String> models) {
    List<Embedder.Vectors> vectors = new ArrayList<>();
    for (String model : models) {
      embed(requestId, payer, text, model).ifPresent(vectors::add);
    }
    return vectors;
  }

  private Optional<Embedder.Vectors> embed(
      String requestId, Payer payer, String text, String model) {
    Embedder asked = Objects.requireNonNull(embedder);
    EmbeddingWindow window = asked.window();
    String question = window == null ? text : window.end(text);
    try {
      return Optional.of(asked.embed(List.of(question), payer, requestId, model, EMBED_LIMIT));
    } catch (ApiException e) {
      if (Cancellation.current().cancelled()) {
        throw e; // the client disconnected
      }
      LOG.atWarn()
          .addKeyValue("model", model)
          .addKeyValue("error", e.getMessage())
          .log("the question was not embedded; searching by words only");
      return Optional.empty();
    }
  }

  /** Returns nothing if there are too many vectors: the search is by words only then. */
  private List<PassageId> near(SearchedFiles searched, Embedder.Vectors question) {
    Optional<List<PassageId>> near =
        passages.byVector(searched, question.model(), question.vectors().getFirst(), DEPTH);
    if (near.isEmpty()) {
      LOG.warn("there are too many vectors to compare in time; searching by words only");
    }
    return near.orElse(List.of());
  }

  /** Returns 1 for the first rank, which is 0. */
  private static double score(int rank) {
    return (RANK_OFFSET + 1.0) / (RANK_OFFSET + 1 + rank);
  }

  private static Map<PassageId, Double> best(Map<PassageId, Double> scores, int limit) {
    Map<PassageId, Double> best = new LinkedHashMap<>();
    scores.entrySet().stream()
        .sorted(
            Map.Entry.<PassageId, Double>comparingByValue(Comparator.reverseOrder())
                .thenComparing(it -> it.getKey().documentId())
                .thenComparing(it -> it.getKey().ordinal()))
        .limit(limit)
        .forEach(it -> best.put(it.getKey(), it.getValue()));
    return best;
  }
}
