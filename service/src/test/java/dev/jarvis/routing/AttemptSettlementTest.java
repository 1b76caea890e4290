package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Asked;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.LedgerEntry;
import dev.jarvis.gateway.Operation;
import dev.jarvis.gateway.Origin;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.Rank;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Ledger entries, metrics and spans of the attempts of a call. */
class AttemptSettlementTest extends TwoTargets {
  private static BigDecimal usd(AttemptEntry attempt) {
    return Objects.requireNonNull(attempt.cost()).usd();
  }

  @Test
  void recordsASuccessfulAnswer() {
    Call call = call(true);
    Answer answer = run(call);

    assertThat(answer.head().target()).isEqualTo(new TargetName("first", "m"));
    assertThat(answer.head().route()).isEqualTo("r");
    assertThat(answer.head().cache()).isNull();
    assertThat(read(answer)).containsExactly(TEXT, STOP, USAGE, END);

    assertThat(entries).hasSize(1);
    LedgerEntry entry = entries.getFirst();
    assertThat(entry.id()).isEqualTo(call.id());
    assertThat(entry.rank()).isEqualTo(Rank.EXACT);
    assertThat(entry.day()).isEqualTo(DAY);
    assertThat(entry.origin())
        .isEqualTo(
            new Origin(
                "ann",
                null,
                null,
                "bob",
                null,
                "req-1",
                Recorded.spans("chat m").getFirst().getTraceId()));
    assertThat(entry.asked()).isEqualTo(new Asked(Operation.CHAT, "r", true));
    assertThat(entry.result())
        .isEqualTo(
            new LedgerEntry.Result(new TargetName("first", "m"), Outcome.OK, FinishReason.STOP));
    assertThat(entry.usage()).isEqualTo(new Usage(4, 3, 2, 1, false));
    assertThat(entry.costUsd()).isEqualByComparingTo("10");
    assertThat(entry.timeToFirstToken()).isNotNull();
    assertThat(entry.attempts()).hasSize(1);
    assertThat(call.record().outcome()).isEqualTo(Outcome.OK);
    assertThat(requests("first", "ok")).hasValue(1L);
    assertThat(tokens("first", "input")).hasValue(4L);
    assertThat(tokens("first", "cached_input")).hasValue(3L);
    assertThat(tokens("first", "output")).hasValue(2L);
    assertThat(tokens("first", "reasoning")).hasValue(1L);
  }

  @Test
  void recordsAFailedAttemptAtWhichAModelWorked() {
    long[] failedAt = new long[1];
    first.script =
        () -> {
          long begun = System.nanoTime();
          while (System.nanoTime() - begun < Duration.ofMillis(20).toNanos()) {
            Thread.onSpinWait(); // a duration that differs from the other attempt's
          }
          failedAt[0] = System.nanoTime();
          throw broken();
        };
    Call call = call(true);

    assertThat(read(run(call))).containsExactly(TEXT, STOP, USAGE, END);
    Duration sinceFailure = Duration.ofNanos(System.nanoTime() - failedAt[0]);

    assertThat(rows)
        .extracting(TwoTargets::provider, AttemptEntry::outcome, AttemptEntry::number)
        .containsExactly(tuple("first", Outcome.ERROR, 1), tuple("second", Outcome.OK, 2));
    AttemptEntry failed = rows.getFirst();
    AttemptEntry answered = rows.getLast();
    assertThat(failed.usage()).isEqualTo(estimate(0));
    assertThat(usd(failed)).isEqualByComparingTo("5");
    assertThat(failed.duration()).isGreaterThanOrEqualTo(Duration.ofMillis(20));
    assertThat(failed.timeToFirstToken()).isNull();
    assertThat(failed.finishReason()).isNull();
    assertThat(usd(answered)).isEqualByComparingTo("10");
    assertThat(answered.duration()).isLessThanOrEqualTo(sinceFailure);
    assertThat(answered.timeToFirstToken()).isLessThanOrEqualTo(sinceFailure);
    LedgerEntry entry = entries.getFirst();
    assertThat(entries).hasSize(1);
    assertThat(entry.id()).isEqualTo(call.id());
    assertThat(entry.costUsd()).isEqualByComparingTo("15");
    assertThat(entry.rank()).as("a part is estimated").isEqualTo(Rank.ESTIMATED);
    assertThat(entry.result())
        .isEqualTo(
            new LedgerEntry.Result(new TargetName("second", "m"), Outcome.OK, FinishReason.STOP));
    assertThat(requests("second", "ok")).hasValue(1L);
    assertThat(requests("first", "error")).as("the call is counted once").isEmpty();
    assertThat(tokens("first", "input")).hasValue((long) QUESTION_TOKENS);
    assertThat(tokens("second", "input")).hasValue(4L);
    assertThat(Recorded.value(Metric.LLM_FALLBACKS, "m", "first", "unavailable")).hasValue(1L);
    assertThat(call.record().outcome()).isEqualTo(Outcome.OK);
  }

  @Test
  void givesEachAttemptASpan() {
    first.script = () -> new Played("first", broken(), new Event.Text(0, "", null));

    readStream();

    assertThat(Recorded.spans("chat m"))
        .extracting(it -> it.getAttributes().get(AttributeKey.stringKey("gen_ai.provider.name")))
        .containsExactlyInAnyOrder("first", "second");
    assertThat(outcome(span("first"))).isEqualTo("error");
    assertThat(span("first").getAttributes().get(AttributeKey.stringKey("error.type")))
        .isEqualTo("Unavailable");
    assertThat(outcome(span("second"))).isEqualTo("ok");
    assertThat(span("first").getEndEpochNanos())
        .as("end of the first span")
        .isLessThanOrEqualTo(span("second").getEndEpochNanos());
    assertThat(log).startsWith("first asked", "first closed", "second asked");
  }

  private static SpanData span(String provider) {
    AttributeKey<String> name = AttributeKey.stringKey("gen_ai.provider.name");
    return Recorded.spans("chat m").stream()
        .filter(it -> provider.equals(it.getAttributes().get(name)))
        .findFirst()
        .orElseThrow();
  }

  private static @Nullable String outcome(SpanData span) {
    return span.getAttributes().get(AttributeKey.stringKey("jarvis.outcome"));
  }

  @Test
  void recordsNoUsageForATargetThatIsDown() {
    first.script =
        () -> {
          throw down();
        };

    assertThat(readStream()).contains(TEXT);

    assertThat(rows)
        .extracting(TwoTargets::provider, AttemptEntry::worked, AttemptEntry::cost)
        .startsWith(tuple("first", false, null));
    assertThat(entries.getFirst().usage()).isEqualTo(new Usage(4, 3, 2, 1, false));
    assertThat(entries.getFirst().rank()).isEqualTo(Rank.EXACT);
    assertThat(tokens("first", "input")).isEmpty();
    assertThat(Recorded.spans("chat m")).hasSize(2);
  }

  @Test
  void recordsAnEstimateForAnAttemptThatTimedOut() {
    first.script =
        () -> {
          throw new ProviderException.TimedOut("silent", null);
        };

    readStream();

    assertThat(rows)
        .extracting(TwoTargets::provider, TwoTargets::inputTokens, TwoTargets::estimated)
        .containsExactly(tuple("first", QUESTION_TOKENS, true), tuple("second", 4, false));
    assertThat(Recorded.value(Metric.LLM_FALLBACKS, "m", "first", "timeout")).hasValue(1L);
  }

  @Test
  void recordsNoOutputForAWholeAnswerThatTimedOut() {
    first.streams = false;
    second.streams = false;
    Event fast = new Event.End(new Timings(Duration.ZERO, Duration.ZERO, Duration.ofNanos(1000)));
    Event usage = new Event.UsageReport(Usage.counted(1, 1000), null);
    first.script = () -> new Played("first", TEXT, STOP, usage, fast);
    read(run(call(false)));
    rows.clear();

    first.script =
        () -> {
          throw new ProviderException.TimedOut("too slow", null);
        };
    read(run(call(false)));

    assertThat(provider(rows.getFirst())).isEqualTo("first");
    assertThat(rows.getFirst().usage().answerTokens()).isZero();
  }

  @Test
  void recordsTheInputOfACallAbortedBeforeItsFirstToken() {
    first.script = () -> new Played("first");
    abort(call(true));

    assertThat(rows)
        .extracting(AttemptEntry::outcome, AttemptEntry::usage)
        .containsExactly(tuple(Outcome.ABORTED, estimate(0)));
    assertThat(usd(rows.getFirst())).isEqualByComparingTo("5");
    assertThat(log).doesNotContain("second asked");
  }

  @Test
  void estimatesTheOutputOfAnAbortedWholeAnswerFromTheTargetsSpeed() {
    first.streams = false;
    Event fast = // a billion tokens a second
        new Event.End(new Timings(Duration.ZERO, Duration.ZERO, Duration.ofNanos(1000)));
    Event usage = new Event.UsageReport(Usage.counted(1, 1000), null);
    first.script = () -> new Played("first", TEXT, STOP, usage, fast);
    read(run(call(false)));
    rows.clear();
    log.clear();

    first.script = AttemptSettlementTest::blockUntilCancelled;
    abort(call(false));

    assertThat(rows)
        .extracting(AttemptEntry::outcome, AttemptEntry::usage)
        .as("limited by max_tokens")
        .containsExactly(tuple(Outcome.ABORTED, estimate(1000)));
  }

  /** Blocks like a model server that is asked for a whole answer. */
  private static EventSource blockUntilCancelled() {
    if (!Cancellation.current().await(LIMIT)) {
      throw new AssertionError("the call was not cancelled");
    }
    throw new CancelledException();
  }

  @Test
  void recordsTheServersTimesForAWholeAnswer() {
    first.streams = false;
    Timings timings = new Timings(Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(4));
    first.script = () -> new Played("first", TEXT, STOP, USAGE, new Event.End(timings));

    read(run(call(false)));
    assertThat(rows.getFirst().timeToFirstToken()).isEqualTo(Duration.ofMillis(3));
    assertThat(entries.getFirst().asked().streamed()).isFalse();

    first.script = () -> new Played("first", TEXT, STOP, USAGE, END);
    read(run(call(false)));
    assertThat(rows.getLast().timeToFirstToken()).as("without the server's times").isNull();
  }
}
