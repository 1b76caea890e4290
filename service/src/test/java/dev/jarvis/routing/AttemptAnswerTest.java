package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Caller;
import dev.jarvis.gateway.EmbeddingRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Usage;
import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.storage.Recorded;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The answer of an attempt, as its reader gets it. */
class AttemptAnswerTest extends TwoTargets {
  @Test
  void isSettledBeforeItsEndIsRead() {
    Answer answer = run(call(true));
    while (!(answer.next() instanceof Event.End)) {
      assertThat(log).hasSizeLessThan(MOST_EVENTS);
    }

    assertThat(log).containsExactly("first asked", "first closed", "settled");
    answer.close();
    assertThat(log).hasSize(3);
  }

  @Test
  void isClosedBeforeAnAbortedCallIsSettled() {
    first.script = () -> new Played("first", TEXT);
    Call call = call(true);
    Answer answer = run(call);
    answer.next();

    answer.close();

    await().atMost(LIMIT).until(() -> call.record().outcome() == Outcome.ABORTED);
    assertThat(log).containsExactly("first asked", "first closed", "settled");
    assertThat(rows)
        .extracting(AttemptEntry::outcome, AttemptEntry::usage)
        .containsExactly(tuple(Outcome.ABORTED, estimate(1)));
    assertThat(requests("first", "aborted")).hasValue(1L);
  }

  @Test
  void reportsAnEstimateIfTheServerDoesNotCount() {
    first.script = () -> new Played("first", TEXT, TEXT, STOP, END);

    assertThat(readStream())
        .containsExactly(
            TEXT,
            TEXT,
            STOP,
            new Event.UsageReport(new Usage(QUESTION_TOKENS, 0, 2, 0, true), null),
            END);
    assertThat(rows).extracting(AttemptEntry::usage).containsExactly(estimate(2));
  }

  @Test
  void returnsEmbeddings() {
    EmbeddingRequest texts = new EmbeddingRequest("r", Json.object(), null);
    texts.body().putArray("input").add("text");

    assertThat(read(run(Call.of(UuidV7.next(), "req-1", Caller.service("ann"), texts, false, ""))))
        .containsExactly(
            new Event.UsageReport(Usage.counted(6, 0), null),
            new Event.Vectors(List.of(VECTOR)),
            END);
    assertThat(log).containsExactly("first asked as m", "settled");
    assertThat(rows)
        .extracting(TwoTargets::inputTokens, AttemptEntry::timeToFirstToken)
        .containsExactly(tuple(6, null));
    assertThat(entries.getFirst().asked()).isEqualTo(new Asked(Operation.EMBEDDINGS, "r", false));
    assertThat(Recorded.spans("embeddings m")).hasSize(1);
  }

  @Test
  void listsIgnoredFieldsInTheHead() {
    first.unsupported = new UnsupportedFields(List.of(), List.of("top_k"));

    assertThat(run(call(true)).head().ignored()).containsExactly("top_k");
  }
}
