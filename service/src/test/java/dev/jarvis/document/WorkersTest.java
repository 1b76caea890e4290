package dev.jarvis.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.jarvis.document.Document.Failure;
import dev.jarvis.document.Document.State;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What may happen to a document while a worker processes it. */
class WorkersTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Long enough for several batches of the embedding model. */
  private static final String TEXT = "A sentence of some words about gulls. ".repeat(400);

  @AutoClose private static final TestDocuments documents = TestDocuments.onSharedServer();

  private static Document document(UUID id) {
    return documents.files().find("alice", id).orElseThrow();
  }

  private static long rows(String table, String condition) {
    return documents.number("SELECT count(*) AS n FROM %s WHERE %s".formatted(table, condition));
  }

  @Test
  void deletingADocumentInterruptsItsWorkerWhichProcessesTheNext() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    AtomicBoolean interrupted = new AtomicBoolean();
    Embedder endless =
        (texts, user, request, model, limit) -> {
          if (asked.getCount() > 0) {
            asked.countDown();
            try {
              new CountDownLatch(1).await();
            } catch (InterruptedException e) {
              interrupted.set(true);
              Thread.currentThread().interrupt();
            }
          }
          return TestDocuments.byLetters(texts, user, request, model, limit);
        };
    try (Workers workers = documents.work(endless)) {
      UUID id = documents.upload(TEXT);
      assertThat(asked.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      UUID next = documents.upload("A text that waits.");
      assertThat(documents.files().delete("alice", id)).isTrue();
      workers.wake();
      await().atMost(LIMIT).until(() -> document(next).state() == State.DONE);

      assertThat(interrupted).isTrue();
      await().atMost(LIMIT).until(() -> rows("documents", "id = '%s'".formatted(id)) == 0);
      assertThat(rows("document_chunks", "document_id = '%s'".formatted(id))).isZero();
      assertThat(documents.home().resolve("objects/documents/files/" + id)).doesNotExist();
      assertThat(document(next).progress().attempts()).isEqualTo(1);
    }
  }

  @Test
  void aDocumentThatFailsEveryTimeIsGivenUp() throws Exception {
    Embedder broken =
        (texts, user, request, model, limit) -> {
          throw new IllegalStateException("not this time");
        };
    try (Workers ignored = documents.work(broken)) {
      UUID id = documents.upload("Nothing will come of this.");
      await().atMost(LIMIT).until(() -> document(id).state() == State.FAILED);

      assertThat(document(id).progress().attempts()).isEqualTo(3);
      assertThat(document(id).progress().error())
          .extracting(Failure::code)
          .isEqualTo("internal_error");
    }
  }

  @Test
  void aLeaseIsRenewedWhileItsWorkerIsBusy() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    Embedder slow =
        (texts, user, request, model, limit) -> {
          asked.countDown();
          awaitFor(finish);
          return TestDocuments.byLetters(texts, user, request, model, limit);
        };
    try (Workers ignored = documents.work(slow)) {
      UUID id = documents.upload("A text that takes long.");
      assertThat(asked.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      documents.sql(
          "UPDATE documents SET due_at = now() WHERE id = '%s'".formatted(id)); // the lease ends
      String renewed = "due_at > now() + interval '1 minute' AND id = '%s'".formatted(id);
      await().atMost(LIMIT).until(() -> rows("documents", renewed) == 1);
      try (Workers others = documents.work(TestDocuments::byLetters)) {
        UUID next = documents.upload("A text that other workers process.");
        others.wake();
        await().atMost(LIMIT).until(() -> document(next).state() == State.DONE);
        finish.countDown();
        await().atMost(LIMIT).until(() -> document(id).state() == State.DONE);
      }
      assertThat(document(id).progress().attempts()).isEqualTo(1);
    }
  }

  /** Waits without expecting an interrupt. */
  private static void awaitFor(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void anAttemptIsATraceLinkedToTheUploadAndIsMeasured() throws Exception {
    String upload = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    long before = searchable();
    try (Workers ignored = documents.work(TestDocuments::byLetters)) {
      UUID id = documents.upload("A text that is followed.", upload);
      await().atMost(LIMIT).until(() -> document(id).state() == State.DONE);
      await().atMost(LIMIT).until(() -> attempts(id).size() == 1);
      SpanData attempt = attempts(id).getFirst();
      assertThat(attempt.getLinks())
          .extracting(it -> it.getSpanContext().getTraceId())
          .containsExactly("0af7651916cd43dd8448eb211c80319c");
      for (String stage : List.of("extract", "chunk", "embed", "index")) {
        assertThat(Recorded.spans(stage + " document"))
            .as(stage)
            .anyMatch(it -> it.getTraceId().equals(attempt.getTraceId()));
        assertThat(Recorded.value(Metric.DOCUMENTS_STAGE_DURATION, stage))
            .hasValueSatisfying(it -> assertThat(it).isPositive());
      }
      assertThat(searchable()).isEqualTo(before + 1);
    }
  }

  private static List<SpanData> attempts(UUID id) {
    return Recorded.spans("process document").stream()
        .filter(
            it ->
                FileId.of(id)
                    .equals(it.getAttributes().get(AttributeKey.stringKey("jarvis.file_id"))))
        .toList();
  }

  private static long searchable() {
    return Recorded.value(Metric.DOCUMENTS_TIME_TO_SEARCHABLE).orElse(0L);
  }

  @Test
  void gaugesReportTheQueue() throws Exception {
    UUID id = documents.upload("A text that waits.");
    documents.sql(
        "UPDATE documents SET queued_at = now() - interval '90 s' WHERE id = '" + id + "'");
    try (QueueGauges ignored = documents.gauges()) {
      assertThat(Recorded.value(Metric.DOCUMENTS_QUEUE_DEPTH)).hasValue(1L);
      assertThat(Recorded.value(Metric.DOCUMENTS_QUEUE_OLDEST_AGE))
          .hasValueSatisfying(it -> assertThat(it).isBetween(90L, 120L));
    } finally {
      documents.files().delete("alice", id);
    }
  }

  @Test
  void aGaugeReportsTheDocumentsThatAreStillToBeIndexedAgain() throws Exception {
    UUID old = IndexedDocument.add(documents.database(), "alice", "english", List.of("An old one"));
    UUID present =
        IndexedDocument.add(documents.database(), "alice", "english", List.of("A new one"));
    documents.sql("UPDATE documents SET index_version = 0 WHERE id = '" + old + "'");
    try (QueueGauges ignored = documents.gauges()) {
      assertThat(Recorded.value(Metric.DOCUMENTS_OUTDATED)).hasValue(1L);
    }
    documents.sql("UPDATE documents SET due_at = now() WHERE id = '" + old + "'");
    try (Workers ignored = documents.work(TestDocuments::byLetters);
        QueueGauges gauges = documents.gauges()) {
      await()
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(Recorded.value(Metric.DOCUMENTS_OUTDATED)).hasValue(0L));
    } finally {
      documents.files().delete("alice", old);
      documents.files().delete("alice", present);
    }
  }

  @Test
  void anUnavailableObjectStoreIsRetried() throws Exception {
    UUID id = documents.upload("A text that is unavailable for a while.");
    Path store = documents.home().resolve("objects");
    Path away = Files.move(store, documents.home().resolve("away"));
    try (Workers ignored = documents.work(TestDocuments::byLetters)) {
      try {
        await().atMost(LIMIT).until(() -> document(id).progress().error() != null);
        assertThat(document(id).progress().error())
            .extracting(Failure::code)
            .isEqualTo("object_store_unavailable");
        assertThat(document(id).state()).isEqualTo(State.PENDING);
      } finally {
        Files.move(away, store);
      }
      await().atMost(LIMIT).until(() -> document(id).state() == State.DONE);
      assertThat(document(id).progress().error()).isNull();
    }
  }

  @Test
  void closingReleasesTheDocumentAtOnce() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    Embedder endless =
        (texts, user, request, model, limit) -> {
          asked.countDown();
          awaitFor(new CountDownLatch(1));
          return new Embedder.Vectors("none", List.of());
        };
    UUID id;
    try (Workers ignored = documents.work(endless)) {
      id = documents.upload("Some words that stay.");
      assertThat(asked.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }
    assertThat(document(id).progress().attempts()).isZero();
    assertThat(rows("documents", "lease IS NULL AND id = '%s'".formatted(id))).isEqualTo(1);
    try (Workers ignored = documents.work(TestDocuments::byLetters)) {
      await().atMost(LIMIT).until(() -> document(id).state() == State.DONE);
    }
  }

  @Test
  void aDocumentThatIsClaimedWhileWorkersCloseIsReleasedWithoutAnError() throws Exception {
    UUID id = documents.upload("Some words that stay.");
    Logger logger = (Logger) LoggerFactory.getLogger(Workers.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    try (Connection other = documents.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE documents IN SHARE MODE");
      Workers workers = documents.work(TestDocuments::byLetters);
      await().atMost(LIMIT).until(() -> rows("pg_locks", "NOT granted") == 1);
      FutureTask<Void> closing =
          new FutureTask<>(
              () -> {
                workers.close();
                return null;
              });
      Thread closer = Thread.ofPlatform().start(closing);
      await().atMost(LIMIT).until(() -> closer.getState() == Thread.State.TIMED_WAITING);
      other.commit();
      closing.get();
    } finally {
      logger.detachAppender(lines);
    }

    assertThat(lines.list).filteredOn(it -> it.getLevel() == Level.ERROR).isEmpty();
    await()
        .atMost(LIMIT)
        .until(() -> rows("documents", "lease IS NULL AND id = '%s'".formatted(id)) == 1);
    documents.sql("DELETE FROM documents WHERE id = '%s'".formatted(id));
  }
}
