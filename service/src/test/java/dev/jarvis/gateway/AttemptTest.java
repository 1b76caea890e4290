package dev.jarvis.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.json.Json;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Counts and times of one attempt. */
class AttemptTest {
  private static final Event TEXT = new Event.Text(0, "x", null);
  private static final int QUESTION_TOKENS = 2;
  private static final double UNKNOWN = Double.NaN;

  private final Telemetry telemetry = Recorded.start();

  @AfterEach
  void close() {
    telemetry.close();
  }

  private static ChatRequest question() {
    ChatRequest request = new ChatRequest("m", Json.object());
    request.body().putArray("messages").addObject().put("role", "user").put("content", "12345678");
    return request;
  }

  private Attempt attempt(Question question, boolean streamed, double tokensPerSecond) {
    return new Attempt(
        telemetry,
        question,
        streamed,
        new Attempt.Target(new TargetName("p", "m"), "m", tokensPerSecond));
  }

  private Attempt stream() {
    return attempt(question(), true, UNKNOWN);
  }

  private static Event counted(int input, int output) {
    return new Event.UsageReport(Usage.counted(input, output), null);
  }

  @Test
  void hasNoUsageIfNoModelWorked() {
    Attempt attempt = stream();
    attempt.end(Outcome.ERROR, new IllegalStateException("refused"));

    assertThat(attempt.usage()).isEqualTo(Usage.NONE);
    assertThat(attempt.usage().estimated()).isFalse();
    assertThat(attempt.timeToFirstToken()).isNull();
    assertThat(attempt.tokensPerSecond()).isNaN();
  }

  @Test
  void countsTheInputOfAnAnswerAbortedBeforeItsFirstToken() {
    Attempt attempt = stream();
    attempt.began();
    attempt.end(Outcome.ABORTED, null);

    assertThat(attempt.usage()).isEqualTo(Usage.estimate(QUESTION_TOKENS));
  }

  @Test
  void countsPiecesAsTokensIfTheServerDoesNotCount() {
    Attempt attempt = stream();
    attempt.began();
    attempt.observe(TEXT);
    attempt.observe(new Event.Reasoning(0, "hm", null));
    attempt.observe(new Event.ToolCall(0, 0, "id", "f", "{}", null));
    attempt.observe(new Event.Text(0, "", null)); // not output
    attempt.observe(new Event.ChoiceEnd(0, FinishReason.STOP, null));
    attempt.end(Outcome.OK, null);

    assertThat(attempt.usage()).isEqualTo(new Usage(QUESTION_TOKENS, 0, 3, 0, true));
  }

  @Test
  void usesTheLastCountOfTheServer() {
    Attempt attempt = stream();
    attempt.began();
    attempt.observe(counted(7, 0));
    attempt.observe(TEXT);
    attempt.observe(counted(7, 1));
    attempt.observe(TEXT);
    attempt.end(Outcome.OK, null);

    assertThat(attempt.usage()).isEqualTo(Usage.counted(7, 1));
  }

  @Test
  void addsPiecesAfterTheLastCountOfAnAbortedAnswer() {
    Attempt attempt = stream();
    attempt.began();
    attempt.observe(TEXT);
    attempt.observe(new Event.UsageReport(new Usage(7, 3, 1, 2, false), null));
    attempt.observe(TEXT);
    attempt.observe(TEXT);
    attempt.end(Outcome.ABORTED, null);

    assertThat(attempt.usage()).isEqualTo(new Usage(7, 3, 3, 2, true));
  }

  @Test
  void keepsACountThatNoPieceFollowsExactEvenIfTheAnswerFails() {
    Attempt attempt = stream();
    attempt.began();
    attempt.observe(counted(7, 0));
    attempt.end(Outcome.ERROR, null);

    assertThat(attempt.usage()).isEqualTo(Usage.counted(7, 0));
  }

  @Test
  void estimatesAnAbortedWholeAnswerFromTheTargetsSpeed() {
    double tokensPerSecond = 1e9;
    Attempt attempt = attempt(question(), false, tokensPerSecond);
    attempt.began();
    attempt.end(Outcome.ABORTED, null);

    int written = (int) (attempt.duration().toNanos() * tokensPerSecond / 1e9);
    assertThat(written).isPositive();
    assertThat(attempt.usage()).isEqualTo(new Usage(QUESTION_TOKENS, 0, written, 0, true));
  }

  @Test
  void limitsTheEstimateToMaxTokens() {
    ChatRequest question = question();
    question.body().put("max_tokens", 5);
    Attempt attempt = attempt(question, false, 1e12);
    attempt.began();
    attempt.end(Outcome.ABORTED, null);

    assertThat(attempt.usage()).isEqualTo(new Usage(QUESTION_TOKENS, 0, 5, 0, true));
  }

  @Test
  void estimatesOnlyTheInputIfTheSpeedIsUnknown() {
    Attempt attempt = attempt(question(), false, UNKNOWN);
    attempt.began();
    attempt.end(Outcome.ABORTED, null);

    assertThat(attempt.usage()).isEqualTo(Usage.estimate(QUESTION_TOKENS));
  }

  @Test
  void doesNotEstimateAStreamFromTheTargetsSpeed() {
    Attempt attempt = attempt(question(), true, 1e12);
    attempt.began();
    attempt.end(Outcome.ABORTED, null);

    assertThat(attempt.usage().outputTokens()).isZero();
  }

  @Test
  void hasNoOutputForEmbeddings() {
    EmbeddingRequest texts = new EmbeddingRequest("m", Json.object(), null);
    texts.body().putArray("input").add("12345678");
    Attempt attempt = attempt(texts, false, 1e12);
    attempt.began();
    attempt.end(Outcome.ABORTED, null);

    assertThat(attempt.usage()).isEqualTo(Usage.estimate(QUESTION_TOKENS));
    assertThat(attempt.timeToFirstToken()).isNull();
  }

  @Test
  void keepsTheFirstEnd() {
    Attempt attempt = stream();
    attempt.end(Outcome.OK, null);
    Duration duration = attempt.duration();
    attempt.end(Outcome.ERROR, new IllegalStateException());

    assertThat(attempt.outcome()).isEqualTo(Outcome.OK);
    assertThat(attempt.duration()).isEqualTo(duration);
  }

  @Test
  void reportsTheFinishReasonOfTheFirstChoice() {
    Attempt attempt = stream();
    attempt.observe(new Event.ChoiceEnd(1, FinishReason.LENGTH, null));
    assertThat(attempt.finishReason()).isEqualTo(FinishReason.LENGTH);

    attempt.observe(new Event.ChoiceEnd(0, FinishReason.STOP, null));
    attempt.observe(new Event.ChoiceEnd(2, new FinishReason("abort"), null));
    assertThat(attempt.finishReason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void measuresStreamsAndUsesTheServersTimesForWholeAnswers() {
    Event end =
        new Event.End(
            new Timings(Duration.ofSeconds(100), Duration.ofSeconds(200), Duration.ofSeconds(5)));
    Attempt stream = stream();
    Attempt whole = attempt(question(), false, UNKNOWN);
    for (Attempt attempt : new Attempt[] {stream, whole}) {
      attempt.began();
      attempt.observe(TEXT);
      attempt.observe(counted(7, 10));
      attempt.observe(end);
      attempt.end(Outcome.OK, null);
    }

    assertThat(stream.timeToFirstToken()).isLessThanOrEqualTo(stream.duration());
    assertThat(stream.timePerOutputToken()).isNotNull();
    assertThat(whole.timeToFirstToken()).isEqualTo(Duration.ofMinutes(5));
    assertThat(whole.timePerOutputToken()).as("of a whole answer").isNull();
    assertThat(whole.tokensPerSecond()).as("by the server's clock").isEqualTo(2);
  }
}
