package dev.jarvis.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.AttemptEntry;
import dev.jarvis.gateway.Call;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.Outcome;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.UnsupportedFields;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which targets of a route are asked, and how often. */
class AttemptTargetsTest extends TwoTargets {
  @Test
  void discardsTheEventsOfATargetThatFailsBeforeItsFirstToken() {
    first.script =
        () -> new Played("first", broken(), new Event.UsageReport(Usage.counted(9, 0), null));

    assertThat(readStream()).containsExactly(TEXT, STOP, USAGE, END);
    assertThat(rows.getFirst().usage().freshInputTokens())
        .as("but its count is its own")
        .isEqualTo(9);
    assertThat(rows.getFirst().usage().estimated()).isFalse();
  }

  @Test
  void doesNotFallBackAfterTheFirstToken() {
    first.script = () -> new Played("first", broken(), TEXT, TEXT);
    Call call = call(true);
    Answer answer = run(call);

    assertThat(answer.next()).isEqualTo(TEXT);
    assertThat(answer.next()).isEqualTo(TEXT);
    assertThatThrownBy(answer::next)
        .isInstanceOf(ApiException.UpstreamFailed.class)
        .hasMessageContaining("broke off");
    answer.close();

    assertThat(log).containsExactly("first asked", "first closed", "settled");
    assertThat(rows)
        .extracting(AttemptEntry::outcome, AttemptEntry::usage)
        .containsExactly(tuple(Outcome.ERROR, estimate(2)));
    assertThat(call.record().outcome()).isEqualTo(Outcome.ERROR);
  }

  @Test
  void doesNotFallBackAfterARefusal() {
    first.script =
        () -> {
          throw new ProviderException.Refused("too long");
        };
    Call call = call(true);

    assertThatThrownBy(() -> run(call).head())
        .isInstanceOf(ApiException.Refused.class)
        .hasMessage("too long");
    assertThat(log).containsExactly("first asked", "settled");
    assertThat(rows)
        .extracting(AttemptEntry::outcome, AttemptEntry::cost, TwoTargets::inputTokens)
        .containsExactly(tuple(Outcome.REJECTED, null, 0));
    assertThat(call.record().outcome()).isEqualTo(Outcome.REJECTED);
    assertThat(requests("first", "rejected")).hasValue(1L);
    assertThat(router.circuits()).containsEntry(at(first), false);
  }

  @Test
  void retriesBusyTargets() {
    second.script =
        () -> {
          first.script = () -> new Played("first", TEXT, STOP, USAGE, END);
          throw new ProviderException.Busy("busy");
        };
    first.script =
        () -> {
          throw new ProviderException.Busy("busy");
        };

    assertThat(readStream()).contains(TEXT);
    assertThat(log)
        .containsExactly("first asked", "second asked", "first asked", "first closed", "settled");
    assertThat(rows).extracting(AttemptEntry::number).containsExactly(1, 2, 3);
  }

  @Test
  void doesNotRetryAfterAModelWorked() {
    first.script =
        () -> {
          throw broken();
        };
    second.script =
        () -> {
          throw broken();
        };

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOf(ApiException.UpstreamFailed.class);
    assertThat(log).containsExactly("first asked", "second asked", "settled");
    assertThat(rows)
        .extracting(TwoTargets::provider, AttemptEntry::outcome)
        .containsExactly(tuple("first", Outcome.ERROR), tuple("second", Outcome.ERROR));
    assertThat(requests("second", "error")).hasValue(1L);
  }

  @Test
  void doesNotRetryAfterAModelWorkedEvenIfTheLastTargetIsDown() {
    first.script =
        () -> {
          throw broken();
        };
    second.script =
        () -> {
          throw new ProviderException.Unavailable("down", null);
        };

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOf(ApiException.UpstreamFailed.class);
    assertThat(log).containsOnlyOnce("first asked").containsOnlyOnce("second asked");
  }

  @Test
  void doesNotWaitForALongRetryAfter() {
    for (Stub provider : List.of(first, second)) {
      provider.script =
          () -> {
            throw new ProviderException.Busy("busy", Duration.ofMinutes(5));
          };
    }

    assertThatThrownBy(() -> run(call(true)).head())
        .isInstanceOfSatisfying(
            ApiException.Overloaded.class,
            e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofMinutes(5)));
    assertThat(log).containsExactly("first asked", "second asked", "settled");
  }

  @Test
  void stopsAtTheMaximumDuration() {
    first.script =
        () -> {
          throw down();
        };

    assertThatThrownBy(() -> run(call(true), Duration.ZERO).head())
        .isInstanceOf(ApiException.UpstreamTimedOut.class)
        .hasMessageContaining("No model server began to answer");
    assertThat(log).containsExactly("first asked", "settled");
  }

  @Test
  void doesNotCountAbortedAnswersForTheCircuitBreaker() {
    fail(first, 4);
    first.script = () -> new Played("first", TEXT);
    for (int i = 0; i < 10; i++) {
      Answer answer = run(call(true));
      answer.next();
      answer.close();
    }
    await().atMost(LIMIT).until(() -> rows.size() == 10);
    assertThat(router.circuits()).containsEntry(at(first), false);

    fail(first, 1);
    assertThat(router.circuits()).containsAllEntriesOf(Map.of(at(first), true, at(second), false));
  }

  @Test
  void passesOverATargetWhoseBreakerOpensAfterTheDecision() {
    afterDecision = () -> fail(first, 5);

    assertThat(run(call(true)).head().target()).isEqualTo(new TargetName("second", "m"));
    assertThat(log).doesNotContain("first asked");
  }

  @Test
  void asksTheTargetsIfEveryBreakerOpensAfterTheDecision() {
    afterDecision =
        () -> {
          fail(first, 5);
          fail(second, 5);
        };

    assertThat(run(call(true)).head().target()).isEqualTo(new TargetName("first", "m"));
  }

  @Test
  void asksNoTargetIfNoneSupportsTheRequest() {
    first.unsupported = new UnsupportedFields(List.of("tools"), List.of());
    second.unsupported = new UnsupportedFields(List.of("tools"), List.of());
    Call call = call(true);

    assertThatThrownBy(() -> run(call).head())
        .isInstanceOf(ApiException.InvalidRequest.class)
        .hasMessageContaining("'tools'");
    assertThat(log).isEmpty();
    assertThat(call.record().outcome()).isEqualTo(Outcome.REJECTED);
    assertThat(Recorded.value(Metric.LLM_REQUESTS, "_other", "_none", "rejected")).hasValue(1L);
  }
}
