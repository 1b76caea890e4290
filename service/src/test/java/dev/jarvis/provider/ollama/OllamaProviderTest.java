package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.jarvis.concurrent.Cancellation;
import dev.jarvis.concurrent.CancelledException;
import dev.jarvis.config.Configs;
import dev.jarvis.gateway.ChatRequest;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Timings;
import dev.jarvis.gateway.Usage;
import dev.jarvis.provider.Chats;
import dev.jarvis.provider.EventSource;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.provider.ProviderException;
import dev.jarvis.provider.ProviderRequest;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class OllamaProviderTest {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofMinutes(1);

  private final Telemetry telemetry = Recorded.start();
  private final FakeOllama ollama = FakeOllama.start();
  private OllamaProvider provider = provider(LONG, LONG);

  @AfterEach
  void close() {
    provider.close();
    ollama.close();
    telemetry.close();
  }

  private OllamaProvider provider(Duration firstToken, Duration betweenTokens) {
    return provider(firstToken, betweenTokens, LONG, false);
  }

  private OllamaProvider provider(
      Duration firstToken, Duration betweenTokens, Duration wholeAnswer, boolean alwaysStreams) {
    return new OllamaProvider(
        Configs.of(
            ModelServerConfig.class,
            "ollama",
            Map.of(
                "url", ollama.uri().toString(),
                "connect-timeout", "20s",
                "list-timeout", "20s",
                "first-token-timeout", firstToken.toString(),
                "between-tokens-timeout", betweenTokens.toString(),
                "answer-timeout", wholeAnswer.toString(),
                "ask", alwaysStreams ? "stream" : "as-asked")),
        telemetry.instruments());
  }

  private void use(OllamaProvider other) {
    provider.close();
    provider = other;
  }

  private static ProviderRequest hi() {
    return Chats.stream(Chats.request("fake:1b", "hi"));
  }

  private static ProviderRequest hiAsAWhole() {
    return Chats.whole(Chats.request("fake:1b", "hi"));
  }

  @Test
  void streamsPiecesAndCounts() throws Exception {
    Chats.Answer answer = Chats.ask(provider, hi());

    assertThat(answer.of(Event.Text.class))
        .extracting(Event.Text::text)
        .containsExactly("Hello", ",", " wörld", " 🎉", "!");
    assertEnds(answer);
    assertThat(ollama.lastBody()).contains("\"stream\":true");
  }

  @Test
  void requestsAWholeAnswer() throws Exception {
    Chats.Answer answer = Chats.ask(provider, hiAsAWhole());

    assertThat(answer.of(Event.Text.class))
        .extracting(Event.Text::text)
        .containsExactly("Hello, wörld 🎉!");
    assertEnds(answer);
    assertThat(ollama.lastBody()).contains("\"stream\":false");
    assertThat(provider.streams(false)).isFalse();
  }

  @Test
  void requestsAStreamIfConfigured() throws Exception {
    use(provider(LONG, LONG, LONG, true));

    assertThat(Chats.ask(provider, hiAsAWhole()).of(Event.Text.class)).hasSize(5);
    assertThat(ollama.lastBody()).contains("\"stream\":true");
    assertThat(provider.streams(false)).isTrue();
  }

  private static void assertEnds(Chats.Answer answer) {
    assertThat(answer.reason()).isEqualTo(FinishReason.STOP);
    assertThat(answer.usage()).isEqualTo(Usage.counted(11, 6));
    assertThat(answer.timings())
        .isEqualTo(
            new Timings(Duration.ofMillis(20), Duration.ofMillis(50), Duration.ofMillis(300)));
  }

  @Test
  void reportsTheTokenLimitAsFinishReason() throws Exception {
    ollama.finishWith("length");

    assertThat(Chats.ask(provider, hi()).reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void acceptsImplausibleTimes() throws Exception {
    for (String fields :
        List.of(
            "",
            ",\"load_duration\":-1",
            ",\"eval_duration\":1e300",
            ",\"eval_duration\":\"fast\"")) {
      ollama.reportDurations(fields);
      Chats.Answer answer = Chats.ask(provider, hi());

      assertThat(answer.text()).isEqualTo(ollama.answer());
      assertThat(answer.usage()).isEqualTo(Usage.counted(11, 6));
      assertThat(answer.timings()).as(fields).isNull();
    }
  }

  @Test
  void sendsParametersAndTraceContext() throws Exception {
    ChatRequest request = Chats.greedy("fake:1b", "grüß \"Gott\"\n", 7, "x", "y");
    request.body().put("temperature", 0.5).put("top_p", 0.9).put("seed", 3);
    request.body().withArray("messages").insert(0, Chats.message("developer", "be kind").json());
    String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    Span span =
        Span.wrap(
            SpanContext.create(
                trace, "00f067aa0ba902b7", TraceFlags.getSampled(), TraceState.getDefault()));

    try (Scope ignored = span.makeCurrent()) {
      Chats.ask(provider, Chats.stream(request));
    }

    JsonNode body = new ObjectMapper().readTree(ollama.lastBody());
    assertThat(body.path("stream").booleanValue()).isTrue();
    assertThat(body.at("/messages/0/role").asText()).isEqualTo("system");
    assertThat(body.at("/messages/1/content").asText()).isEqualTo("grüß \"Gott\"\n");
    assertThat(body.path("options").toString())
        .isEqualTo(
            "{\"temperature\":0.5,\"top_p\":0.9,\"num_predict\":7,\"seed\":3,\"stop\":[\"x\",\"y\"]}");
    assertThat(ollama.lastHeader("traceparent")).startsWith("00-" + trace + "-00f067aa0ba902b7-");
  }

  @Test
  void reusesConnectionsForStreams() throws Exception {
    int answers = 20;
    for (int i = 0; i < answers; i++) {
      Chats.ask(provider, hi());
    }

    assertThat(ollama.connections())
        .as("connections; a second one while the end of an answer is still being read")
        .isLessThan(answers / 2);
  }

  @Test
  void reusesTheConnectionForWholeAnswers() throws Exception {
    for (int i = 0; i < 5; i++) {
      Chats.ask(provider, hiAsAWhole());
    }

    assertThat(ollama.connections()).isEqualTo(1);
  }

  @Test
  void listsModels() throws Exception {
    ollama.listModels("a:1b", "b:latest");

    assertThat(provider.models().names()).containsExactly("a:1b", "b:latest");
  }

  @Test
  void reportsAFailedListAsUnavailable() {
    ollama.failListing();

    assertThatThrownBy(provider::models).isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void listsModelsInMemory() throws Exception {
    ollama.listResident(
        """
        {"models":[{"name":"a:1b","size":500,"size_vram":0,"expires_at":"2030-01-01T00:00:00Z"},
          {"name":"b:1b","size":500,"size_vram":400}]}""");

    assertThat(provider.resident())
        .containsExactly(new ResidentModel("a:1b", 500, 0), new ResidentModel("b:1b", 100, 400));
  }

  @Test
  void ignoresInvalidEntriesOfModelsInMemory() throws Exception {
    ollama.listResident(
        """
        {"models":[null,7,{},{"name":null,"size":1},{"name":"a","size":"big","size_vram":-5},
          {"name":"b","size":1e300,"size_vram":9223372036854775807},{"name":"c"},
          {"name":"d","size":1,"size_vram":3},{"name":"e","size":99999999999999999999}]}""");

    assertThat(provider.resident())
        .containsExactly(
            new ResidentModel("a", 0, 0),
            new ResidentModel("b", 0, 0),
            new ResidentModel("c", 0, 0),
            new ResidentModel("d", 0, 3),
            new ResidentModel("e", 0, 0));
  }

  @Test
  void reportsAServerThatCannotListModelsInMemoryAsUnavailable() {
    for (String junk : List.of("", "[]", "null", "{\"models\":7}", "<html>", "[".repeat(5000))) {
      ollama.listResident(junk);
      assertThatThrownBy(provider::resident)
          .as(junk)
          .isInstanceOf(ProviderException.Unavailable.class);
    }
    ollama.failResident();
    assertThatThrownBy(provider::resident).isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void reportsAnUnreachableServerWithoutItsAddress() {
    ollama.close();

    assertThatThrownBy(() -> provider.chat(hi()))
        .isInstanceOf(ProviderException.Unavailable.class)
        .hasMessageNotContaining("127.0.0.1");
    assertThatThrownBy(provider::models).isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void distinguishesStatuses() {
    ollama.failWith(404, "model 'x' not found");
    assertThatThrownBy(() -> provider.chat(hi())).isInstanceOf(ProviderException.NotFound.class);

    ollama.failWith(400, "input too long" + "!".repeat(5000));
    assertThatThrownBy(() -> provider.chat(hi()))
        .isInstanceOf(ProviderException.Refused.class)
        .hasMessageStartingWith("input too long")
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400));

    ollama.failWith(500);
    assertThatThrownBy(() -> provider.chat(hi()))
        .isInstanceOf(ProviderException.Unavailable.class)
        .hasMessageNotContaining("127.0.0.1")
        .hasRootCauseMessage("a failure at http://127.0.0.1:1/completion");

    ollama.failWith(503, "server busy, please try again.  maximum pending requests exceeded");
    assertThatThrownBy(() -> provider.chat(hi())).isInstanceOf(ProviderException.Busy.class);
  }

  @Test
  void reportsAnErrorInTheFirstLineAsFailureAfterWork() {
    ollama.errorLineFirst();

    assertThatThrownBy(() -> Chats.ask(provider, hi()))
        .isInstanceOfSatisfying(
            ProviderException.Unavailable.class, e -> assertThat(e.begun()).isTrue())
        .hasMessageNotContaining("127.0.0.1");
  }

  @Test
  void reportsABrokenStreamAsUnavailable() throws Exception {
    breaks(ollama::resetMidStream);
    breaks(ollama::breakMidStream);
    breaks(ollama::endWithoutDone);
    breaks(ollama::malformedLine);
    breaks(ollama::hugeLine);
    breaks(ollama::errorLineMidStream);
  }

  private void breaks(Runnable script) throws Exception {
    ollama.reset();
    script.run();
    try (EventSource stream = provider.chat(hi())) {
      assertThat(stream.next()).isEqualTo(new Event.Text(0, "Hello", null));
      ollama.release();
      assertThatThrownBy(() -> Chats.read(stream))
          .isInstanceOf(ProviderException.Unavailable.class);
    }
  }

  @Test
  void reportsABrokenWholeAnswerAsUnavailable() {
    breaksWhole(ollama::resetMidStream);
    breaksWhole(ollama::breakMidStream);
    breaksWhole(ollama::endWithoutDone);
    breaksWhole(ollama::malformedLine);
    breaksWhole(ollama::hugeLine);
    breaksWhole(ollama::errorLineMidStream);
  }

  private void breaksWhole(Runnable script) {
    ollama.reset();
    script.run();
    assertThatThrownBy(() -> Chats.ask(provider, hiAsAWhole()))
        .isInstanceOf(ProviderException.Unavailable.class)
        .hasMessageNotContaining("127.0.0.1");
  }

  @Test
  void timesOutBeforeTheHeaders() {
    use(provider(SHORT, LONG));
    ollama.stallBeforeHeaders();

    assertThatThrownBy(() -> provider.chat(hi())).isInstanceOf(ProviderException.TimedOut.class);
    await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
  }

  @Test
  void timesOutBeforeTheFirstLine() throws Exception {
    use(provider(SHORT, LONG));
    ollama.stallBeforeFirstPiece();

    try (EventSource stream = provider.chat(hi())) {
      assertThatThrownBy(stream::next).isInstanceOf(ProviderException.TimedOut.class);
      await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
    }
  }

  @Test
  void timesOutBetweenTokens() throws Exception {
    use(provider(LONG, SHORT));
    ollama.stallMidStream();

    try (EventSource stream = provider.chat(hi())) {
      assertThatThrownBy(() -> Chats.read(stream)).isInstanceOf(ProviderException.TimedOut.class);
      await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
    }
  }

  @Test
  void timesOutForAWholeAnswer() {
    use(provider(LONG, LONG, SHORT, false));
    ollama.stallBeforeFirstPiece();

    assertThatThrownBy(() -> Chats.ask(provider, hiAsAWhole()))
        .isInstanceOf(ProviderException.TimedOut.class);
    await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
  }

  @Test
  void doesNotApplyTokenTimeoutsToAWholeAnswer() throws Exception {
    use(provider(SHORT, SHORT));
    ollama.pauseBetweenPieces(SHORT); // five times

    assertThat(Chats.ask(provider, hiAsAWhole()).text()).isEqualTo(ollama.answer());
  }

  @Test
  void respectsTheLimitOfTheRequest() {
    for (boolean streamed : new boolean[] {true, false}) {
      ollama.stallBeforeHeaders();
      ProviderRequest request = new ProviderRequest(hi().chat(), "fake:1b", streamed, false, SHORT);

      assertThatThrownBy(() -> Chats.ask(provider, request))
          .as("streamed: %s", streamed)
          .isInstanceOf(ProviderException.TimedOut.class);
    }
  }

  @Test
  void allowsASlowAnswerWithRegularTokens() throws Exception {
    Duration limit = Duration.ofSeconds(3);
    use(provider(limit, limit));
    ollama.pauseBetweenPieces(limit.dividedBy(4)); // five times

    assertThat(Chats.ask(provider, hi()).text()).isEqualTo(ollama.answer());
  }

  @Test
  void closesTheConnectionOnClose() throws Exception {
    ollama.endless();
    EventSource stream = provider.chat(hi());
    stream.next();
    stream.next();
    stream.next();

    stream.close();

    await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
  }

  @Test
  void wakesAReaderOnClose() throws Exception {
    ollama.stallMidStream();
    EventSource stream = provider.chat(hi());
    stream.next();
    stream.next();
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    Thread reader =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    stream.next();
                  } catch (ProviderException e) {
                    failure.complete(e);
                  }
                });
    await().until(() -> reader.getState() == Thread.State.WAITING);

    stream.close();

    assertThat(failure).succeedsWithin(Duration.ofSeconds(20));
    assertThat(failure.join()).isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void wakesAReaderAndClosesTheConnectionOnCancellation() throws Exception {
    Cancellation scope = new Cancellation();
    ollama.stallMidStream();
    try (EventSource stream = scope.call(() -> provider.chat(hi()))) {
      CompletableFuture<Throwable> failure = failureOf(() -> Chats.read(stream));

      scope.cancel();

      assertThat(failure).succeedsWithin(Duration.ofSeconds(20));
      assertThat(failure.join()).isInstanceOf(CancelledException.class);
      await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
    }
  }

  @Test
  void endsTheWaitForHeadersOnCancellation() {
    for (ProviderRequest request : List.of(hi(), hiAsAWhole())) {
      Cancellation scope = new Cancellation();
      ollama.reset();
      ollama.stallBeforeHeaders();
      CompletableFuture<Throwable> failure =
          failureOf(() -> scope.call(() -> Chats.ask(provider, request)));
      await().atMost(Duration.ofSeconds(20)).until(() -> ollama.requests() == 1);

      scope.cancel();

      assertThat(failure).succeedsWithin(Duration.ofSeconds(20));
      assertThat(failure.join()).isInstanceOf(CancelledException.class);
      await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
    }
  }

  /** Runs work on another thread; the result is its failure. */
  private static CompletableFuture<Throwable> failureOf(Callable<?> work) {
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                Object result = work.call();
                failure.completeExceptionally(
                    new AssertionError("no failure, but the result " + result));
              } catch (Exception e) {
                failure.complete(e);
              }
            });
    return failure;
  }

  @Test
  void endsRunningAnswersWhenTheProviderIsClosed() throws Exception {
    ollama.stallMidStream();
    EventSource stream = provider.chat(hi());

    provider.close();

    assertThatThrownBy(() -> Chats.read(stream)).isInstanceOf(ProviderException.Unavailable.class);
    assertThatThrownBy(() -> provider.chat(hi())).isInstanceOf(ProviderException.Unavailable.class);
    await().atMost(Duration.ofSeconds(20)).until(ollama::clientGone);
  }
}
