package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.TestService;
import dev.jarvis.config.Configs;
import dev.jarvis.error.ApiException;
import dev.jarvis.gateway.Answer;
import dev.jarvis.gateway.Event;
import dev.jarvis.gateway.FinishReason;
import dev.jarvis.gateway.Head;
import dev.jarvis.gateway.TargetName;
import dev.jarvis.gateway.Usage;
import dev.jarvis.http.Exchange;
import dev.jarvis.id.UuidV7;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams that wait, fail and break, over a server of their own. */
@Timeout(60)
class CompletionStreamTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final Deque<Supplier<Event>> events = new ArrayDeque<>();
  private int waits;
  private final WebServer server =
      WebServer.builder()
          .port(0)
          .host("127.0.0.1")
          .routing(it -> it.get("/", this::stream))
          .build()
          .start();

  @AfterEach
  void stop() {
    server.stop();
    client.close();
  }

  private final Answer answer =
      new Answer() {
        @Override
        public Head head() {
          return new Head("route", new TargetName("cloud", "m"), List.of("top_k"), "miss");
        }

        @Override
        public boolean await(Duration limit) {
          return waits-- <= 0;
        }

        @Override
        public Event next() {
          return events.remove().get();
        }

        @Override
        public void close() {}
      };

  private void stream(ServerRequest request, ServerResponse response) {
    var id = UuidV7.next();
    Exchange exchange = new Exchange(id, id.toString(), "POST", "/", "/", "");
    ChatCompletionRequest chat =
        ChatCompletionRequest.of(
            (com.fasterxml.jackson.databind.node.ObjectNode)
                TestService.json(
                    """
                    {"model": "route", "stream": true, "stream_options": {"include_usage": true},
                     "messages": [{"role": "user", "content": "hi"}]}"""));
    ChatConfig config = Configs.of(ChatConfig.class, Map.of("sse-keep-alive", "1ms"));
    try {
      new CompletionStream(chat, exchange, answer, response, config).send();
    } catch (ApiException e) {
      response.status(503).send(String.valueOf(e.getMessage()));
    }
  }

  private void answers(Event... all) {
    for (Event event : all) {
      events.add(() -> event);
    }
  }

  private HttpResponse<String> get() throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port())).build(),
        BodyHandlers.ofString());
  }

  private void answersHello() {
    answers(
        new Event.Text(0, "hello", null),
        new Event.ChoiceEnd(0, FinishReason.STOP, null),
        new Event.UsageReport(Usage.counted(1, 2), null),
        new Event.End(null));
  }

  @Test
  void withoutAWaitTheHeadNamesTheTarget() throws Exception {
    answersHello();

    HttpResponse<String> response = get();

    assertThat(response.headers().firstValue("x-jarvis-model")).contains("m");
    assertThat(response.headers().firstValue("x-jarvis-ignored")).contains("top_k");
    assertThat(response.headers().firstValue("x-jarvis-cache")).contains("miss");
    assertThat(response.body()).endsWith("data: [DONE]\n\n").doesNotContain("keep-alive", "jarvis");
  }

  @Test
  void aClientThatWaitsGetsCommentsAndTheTargetAtTheEnd() throws Exception {
    waits = 2;
    answersHello();

    HttpResponse<String> response = get();

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("x-jarvis-model")).isEmpty();
    assertThat(response.body())
        .startsWith(": keep-alive\n\n: keep-alive\n\ndata: {")
        .contains("\"jarvis\":{\"model\":\"m\",\"provider\":\"cloud\",\"route\":\"route\"")
        .containsPattern("(?m)^: jarvis .*\"provider\":\"cloud\"")
        .endsWith("data: [DONE]\n\n");
  }

  @Test
  void aRefusalAfterTheHeadIsAnEvent() throws Exception {
    waits = 1;
    events.add(
        () -> {
          throw new ApiException.Overloaded("too busy");
        });

    HttpResponse<String> response = get();

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).containsSubsequence("data: {\"error\":", "too busy", "[DONE]");
  }

  @Test
  void aFaultOfTheServiceIsReportedAndTheBodyLacksItsEnd() {
    answers(new Event.Text(0, "hello", null));
    events.add(
        () -> {
          throw new IllegalStateException("a fault");
        });

    assertThatThrownBy(this::get)
        .as("the body ended in good order")
        .isInstanceOf(IOException.class);
  }
}
