package dev.jarvis.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.http.ApiException;
import dev.jarvis.http.ClientWatch;
import dev.jarvis.http.Exchange;
import dev.jarvis.http.Json;
import dev.jarvis.http.RequestIds;
import dev.jarvis.model.ChatRequest;
import dev.jarvis.model.ChatStream;
import dev.jarvis.model.Decision;
import dev.jarvis.model.EmbeddingRequest;
import dev.jarvis.model.Embeddings;
import dev.jarvis.model.ModelException;
import dev.jarvis.model.ModelProvider;
import dev.jarvis.model.Models;
import dev.jarvis.model.Prices;
import dev.jarvis.model.Route;
import dev.jarvis.model.Router;
import dev.jarvis.model.Shortfall;
import dev.jarvis.model.Strategy;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One answer, from the attempts at it to its row, over two providers of a route. */
@Timeout(60)
class GenerationTest {
  private final List<String> events = new ArrayList<>();
  private final Telemetry telemetry = Recorded.start();
  private final Stub first = new Stub("first");
  private final Stub second = new Stub("second");
  private final Models models = new Models(List.of(first, second), Duration.ofDays(1));
  private final Router router =
      new Router(
          models,
          List.of(
              new Route(
                  "r",
                  Strategy.PRIORITY,
                  List.of(
                      new Route.Target("first", "m", 1, 1), new Route.Target("second", "m", 1, 2)),
                  Route.Cache.NONE)),
          target -> Double.NaN);

  /** A provider whose answer is one piece. */
  private final class Stub implements ModelProvider {
    private final String name;
    private boolean down;

    Stub(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public List<String> models() {
      return List.of("m");
    }

    @Override
    public ChatStream chat(ChatRequest request) throws ModelException {
      events.add(name + " asked");
      if (down) {
        throw new ModelException.Unavailable("down", null);
      }
      return new OnePiece(name);
    }

    @Override
    public Shortfall shortfall(ChatRequest request) {
      return Shortfall.NONE;
    }

    @Override
    public Embeddings embed(EmbeddingRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Shortfall shortfall(EmbeddingRequest request) {
      return Shortfall.NONE;
    }

    @Override
    public void close() {}
  }

  private final class OnePiece implements ChatStream {
    private final String name;

    OnePiece(String name) {
      this.name = name;
    }

    @Override
    public Chunk next() {
      Finish finish = new Finish(Reason.STOP, usage(), null);
      return new Chunk(0, "x", null, null, Reason.STOP, finish);
    }

    @Override
    public Usage usage() {
      return new Usage(1, 1);
    }

    @Override
    public void close() {
      events.add(name + " closed");
    }
  }

  @AfterEach
  void close() {
    models.close();
    telemetry.close();
  }

  private Decision decide() throws ModelException {
    return router.decide("r", provider -> Shortfall.NONE).orElseThrow();
  }

  private Generation open(Decision decision) {
    return open(decision, Duration.ofMinutes(1));
  }

  private Generation open(Decision decision, Duration limit) {
    Attempts<ChatStream> attempts =
        new Attempts<>(
            router,
            target ->
                new GenerationTelemetry(
                    telemetry, "chat", "m", "m", target.provider().name(), System.nanoTime()),
            (target, error) -> {},
            limit);
    Exchange exchange = new Exchange(RequestIds.next(), "id", "POST", "/", "/", null, "127.0.0.1");
    Settlement settlement =
        new Settlement(
            "chat",
            exchange,
            new ClientWatch(),
            new Prices(List.of()),
            use -> events.add("settled for '" + use.userId() + "'"));
    ChatRequest request = new ChatRequest("r", Json.object());
    return Generation.open(request, decision, true, Duration.ofMinutes(1), attempts, settlement);
  }

  private Models.Target at(Stub provider) {
    return new Models.Target(provider, "m");
  }

  private void fail(Stub provider, int times) {
    for (int i = 0; i < times; i++) {
      router.lease(at(provider)).end(true);
    }
  }

  @Test
  void nobodyElseIsAskedOnceTheTimeOfAnAnswerIsOver() throws Exception {
    first.down = true;

    assertThatThrownBy(() -> open(decide(), Duration.ZERO))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("No model server began to answer");
    assertThat(events).containsExactly("first asked", "settled for ''");
  }

  @Test
  void anAnswerIsSettledBeforeItsConnectionIsReadToItsEnd() throws Exception {
    Generation generation = open(decide());
    generation.next();
    assertThat(events).containsExactly("first asked", "settled for ''");

    generation.close();
    assertThat(events).containsExactly("first asked", "settled for ''", "first closed");
  }

  @Test
  void aModelIsStoppedBeforeAnAbortedAnswerIsSettled() throws Exception {
    Generation generation = open(decide());
    generation.abort();

    assertThat(events).containsExactly("first asked", "first closed", "settled for ''");
  }

  @Test
  void abortedAnswersDoNotHideThatATargetFails() throws Exception {
    fail(first, 4);
    for (int i = 0; i < 10; i++) {
      open(decide()).abort();
    }
    assertThat(router.circuits()).containsEntry(at(first), false);

    fail(first, 1);
    assertThat(router.circuits()).containsAllEntriesOf(Map.of(at(first), true, at(second), false));
  }

  @Test
  void aBreakerThatOpensAfterTheDecisionPassesTheTargetOver() throws Exception {
    Decision decision = decide();
    fail(first, 5);

    try (Generation generation = open(decision)) {
      assertThat(generation.target()).isEqualTo(at(second));
    }
    assertThat(events).doesNotContain("first asked");
  }

  @Test
  void ifEveryBreakerOpensAfterTheDecisionTheTargetsAreAskedAllTheSame() throws Exception {
    Decision decision = decide();
    fail(first, 5);
    fail(second, 5);

    try (Generation generation = open(decision)) {
      assertThat(generation.target()).isEqualTo(at(first));
    }
  }

  @Test
  void aDecisionWithoutTargetsIsAnErrorAndNoFault() {
    Decision nobody = new Decision("r", Strategy.PRIORITY, List.of());

    assertThatThrownBy(() -> open(nobody)).isInstanceOf(ApiException.UpstreamFailed.class);
    assertThat(events).isEmpty();
  }
}
