package dev.jarvis.document.search;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.document.Document;
import dev.jarvis.document.Document.State;
import dev.jarvis.document.DocumentConfig;
import dev.jarvis.document.DocumentStore;
import dev.jarvis.document.Embedder;
import dev.jarvis.document.FileId;
import dev.jarvis.document.FileObject;
import dev.jarvis.document.search.PassageStore.Place;
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
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds passages by words and, where an embedding model is configured, by meaning. The two rankings
 * are joined by reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009). Thread-safe.
 */
public final class Search {
  private static final Logger LOG = LoggerFactory.getLogger(Search.class);

  /** The constant of the paper. */
  private static final int RANK_OFFSET = 60;

  /** How long a model server may take for the question; words are searched in any case. */
  private static final Duration EMBED_LIMIT = Duration.ofSeconds(5);

  /** How deep each ranking is looked at. */
  private static final int DEPTH = 100;

  private final DocumentConfig config;
  private final DocumentStore documents;
  private final PassageStore passages;
  private final @Nullable Embedder embedder;
  private final SearchTelemetry telemetry;
  private final Admission admission;

  /**
   * What a search found.
   *
   * @param hybrid whether vectors were compared too
   * @param pending how many of the user's documents cannot be found yet
   */
  record Found(List<Passage> passages, boolean hybrid, long pending) {}

  public Search(
      DocumentConfig config,
      DocumentStore documents,
      PassageStore passages,
      @Nullable Embedder embedder,
      SearchTelemetry telemetry) {
    this.config = config;
    this.documents = documents;
    this.passages = passages;
    this.embedder = embedder;
    this.telemetry = telemetry;
    this.admission = new Admission("searches", config.queues().searches(), telemetry.waiting());
  }

  /**
   * Reads ids of files that are to be searched.
   *
   * @param param the request's field, for errors
   * @throws ApiException if one is not the user's, or cannot be searched
   */
  List<UUID> searchable(String user, List<String> fileIds, String param) {
    List<UUID> ids = new ArrayList<>();
    for (String fileId : fileIds) {
      ids.add(FileId.parse(fileId).orElseThrow(() -> FileObject.notFound(fileId, param)));
    }
    Map<UUID, Document> found = ids.isEmpty() ? Map.of() : find(user, ids);
    for (int i = 0; i < ids.size(); i++) {
      String fileId = fileIds.get(i);
      Document document = found.get(ids.get(i));
      if (document == null) {
        throw FileObject.notFound(fileId, param);
      }
      if (document.state() == State.FAILED) {
        throw new ApiException.InvalidRequest(
            "The file '%s' could not be processed: %s"
                .formatted(fileId, document.error() == null ? "" : document.error().message()),
            param,
            "file_failed");
      }
      if (document.state() == State.PENDING) {
        throw new ApiException.InvalidRequest(
            "The file '%s' cannot be searched yet: its stage is %s. GET /v1/files/%s tells when it can."
                .formatted(fileId, document.stage().id(), fileId),
            param,
            "file_not_ready");
      }
    }
    return ids;
  }

  private Map<UUID, Document> find(String user, List<UUID> ids) {
    try (Admission.Permit permit = admission.acquire(user)) {
      return documents.find(user, ids);
    }
  }

  /**
   * Searches.
   *
   * @param ids empty for all documents of the user
   * @throws ApiException.Overloaded if no permit to search becomes free in time
   */
  Found search(String user, String requestId, List<UUID> ids, String question, int limit) {
    long start = System.nanoTime();
    Span span = telemetry.start();
    try (Scope ignored = span.makeCurrent()) {
      String text = question.replace("\0", "");
      // first, because it waits for a model server: a permit is for the database alone
      Optional<Embedder.Vectors> vectors = embed(requestId, user, text);
      Found found;
      try (Admission.Permit permit = admission.acquire(user)) {
        found = search(user, ids, text, vectors, limit);
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
      String user, List<UUID> ids, String text, Optional<Embedder.Vectors> question, int limit) {
    Map<Place, Double> scores = new HashMap<>();
    Optional<List<Place>> near = question.flatMap(it -> near(user, ids, it));
    int rankings = near.isEmpty() ? 1 : 2;
    add(passages.byWords(user, ids, config.passages().textSearch(), text, DEPTH), rankings, scores);
    near.ifPresent(it -> add(it, rankings, scores));
    List<Passage> found = passages.load(user, best(scores, limit));
    return new Found(found, near.isPresent(), documents.pending(user));
  }

  /** Empty where there is no model, or none that answers: words are searched all the same. */
  private Optional<Embedder.Vectors> embed(String requestId, String user, String text) {
    if (embedder == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(embedder.embed(List.of(text), user, requestId, EMBED_LIMIT));
    } catch (ApiException e) {
      if (Cancellation.current().cancelled()) {
        throw e; // nobody waits for the search any more
      }
      LOG.atWarn()
          .addKeyValue("error", e.getMessage())
          .log("the question has no embedding, searching by words alone");
      return Optional.empty();
    }
  }

  /** Empty where there is too much to compare: words are searched all the same. */
  private Optional<List<Place>> near(String user, List<UUID> ids, Embedder.Vectors question) {
    Optional<List<Place>> near =
        passages.byVector(user, ids, question.model(), question.vectors().getFirst(), DEPTH);
    if (near.isEmpty()) {
      LOG.warn("the vectors cannot be compared in time, searching by words alone");
    }
    return near;
  }

  private static void add(List<Place> ranking, int rankings, Map<Place, Double> scores) {
    for (int rank = 0; rank < ranking.size(); rank++) {
      double score = (RANK_OFFSET + 1.0) / (RANK_OFFSET + 1 + rank) / rankings;
      scores.merge(ranking.get(rank), score, Double::sum);
    }
  }

  private static Map<Place, Double> best(Map<Place, Double> scores, int limit) {
    Map<Place, Double> best = new LinkedHashMap<>();
    scores.entrySet().stream()
        .sorted(
            Map.Entry.<Place, Double>comparingByValue(Comparator.reverseOrder())
                .thenComparing(it -> it.getKey().documentId())
                .thenComparing(it -> it.getKey().ordinal()))
        .limit(limit)
        .forEach(it -> best.put(it.getKey(), it.getValue()));
    return best;
  }
}
