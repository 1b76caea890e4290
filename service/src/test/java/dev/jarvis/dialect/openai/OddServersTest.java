package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jarvis.TestService;
import dev.jarvis.dialect.openai.OddAnswers.Got;
import dev.jarvis.dialect.openai.OddAnswers.Odd;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers of model servers that are a little off, one line each in {@code odd-servers.txt}: what
 * the client gets, whole and streamed, whichever of the two the server was asked for.
 */
@Timeout(60)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OddServersTest {
  private static OddServer server;
  private static TestService service;
  private static int answered;
  private static int failed;

  /** How the client asks JARVIS, and how JARVIS asks the server. */
  enum Way {
    WHOLE(false, "asks-whole", false),
    WHOLE_FROM_A_STREAM(false, "asks-stream", true),
    STREAM(true, "asks-whole", true);

    private final boolean streams;
    private final String provider;
    private final boolean asksForStream;

    Way(boolean streams, String provider, boolean asksForStream) {
      this.streams = streams;
      this.provider = provider;
      this.asksForStream = asksForStream;
    }
  }

  @BeforeAll
  static void start() throws Exception {
    server = OddServer.start();
    StringBuilder providers = new StringBuilder("providers:\n");
    StringBuilder routes = new StringBuilder("routes:\n");
    for (String ask : new String[] {"whole", "stream"}) {
      for (String kind : new String[] {"good", "bad", "good-ollama", "bad-ollama"}) {
        boolean ollama = kind.endsWith("ollama");
        String name = "%s-asks-%s".formatted(kind, ask);
        providers.append(
            "  %s: {type: %s, url: \"%s\", ask: %s}\n"
                .formatted(
                    name,
                    ollama ? "ollama" : "openai",
                    server.uri(ollama ? "" : "/v1"),
                    ask.equals("whole") ? "as-asked" : ask));
        routes.append(
            "  - {name: %s, targets: [{provider: %s, model: odd}]}\n".formatted(name, name));
      }
    }
    service = TestService.startWith(providers + routes.toString()).awaitModel("odd");
  }

  @AfterAll
  static void stop() {
    service.close();
    server.close();
  }

  static Stream<Odd> cases() {
    return OddAnswers.cases();
  }

  private static HttpResponse<String> ask(Odd odd, Way way) {
    server.answer(odd.body(), odd.options());
    String model =
        (odd.fails() ? "bad" : "good") + (odd.ollama() ? "-ollama-" : "-") + way.provider;
    return service.chat(
        """
        {"model": "%s", "messages": [{"role": "user", "content": "12345678"}], "stream": %s %s}"""
            .formatted(
                model,
                way.streams,
                way.streams ? ", \"stream_options\": {\"include_usage\": true}" : ""));
  }

  @ParameterizedTest
  @MethodSource("cases")
  @Order(1)
  void reachesTheClient(Odd odd) {
    for (Way way : Way.values()) {
      HttpResponse<String> response = ask(odd, way);
      String about = way + " " + response.body();
      if (odd.fails()) {
        failed++;
        assertThat(response.body()).as(about).contains(odd.gets(), "model_server_unavailable");
        if (response.statusCode() == 200) {
          assertThat(response.body()).as(about).endsWith("}\n\ndata: [DONE]\n\n");
        }
        continue;
      }
      answered++;
      assertThat(response.statusCode()).as(about).isEqualTo(200);
      List<JsonNode> chunks = chunks(response);
      Got got =
          way.streams
              ? OddAnswers.assembled(chunks)
              : OddAnswers.whole(TestService.json(response.body()));
      assertThat(got.message()).as(about).isEqualTo(OddAnswers.relaxed(odd.gets()));
      assertThat(got.finish()).as(about).isEqualTo(odd.finish());
      assertThat(corrected(response, chunks, way)).as(about).isEqualTo(expected(odd, way));
      if (odd.usage().equals("~")) {
        assertThat(got.usage().path("estimated").asBoolean()).as(about).isTrue();
        assertThat(got.usage().path("prompt_tokens").asInt()).as(about).isEqualTo(2);
      } else {
        assertThat(usage(got.usage())).as(about).isEqualTo(odd.usage());
      }
      if (way.streams) {
        assertThat(response.body()).as(about).endsWith("data: [DONE]\n\n");
      }
    }
  }

  private static String usage(JsonNode usage) {
    assertThat(usage.path("total_tokens").asInt())
        .isEqualTo(usage.path("prompt_tokens").asInt() + usage.path("completion_tokens").asInt());
    return "%s%s+%s"
        .formatted(
            usage.path("estimated").asBoolean() ? "~" : "",
            usage.path("prompt_tokens"),
            usage.path("completion_tokens"));
  }

  private static List<JsonNode> chunks(HttpResponse<String> response) {
    return response
        .body()
        .lines()
        .filter(it -> it.startsWith("data: {"))
        .map(it -> TestService.json(it.substring(6)))
        .toList();
  }

  private static Set<String> expected(Odd odd, Way way) {
    List<String> expected = new ArrayList<>(odd.corrected());
    if (odd.streamed() != way.asksForStream && !(odd.ollama() && !odd.streamed())) {
      expected.add("framing"); // a line of JSON is a stream of Ollama's, too
    }
    if (!way.asksForStream) {
      expected.remove("end"); // only a stream has a mark of its end
    }
    return Set.copyOf(expected);
  }

  /** What the answer's header, or the end of its stream, says was corrected. */
  private static Set<String> corrected(
      HttpResponse<String> response, List<JsonNode> chunks, Way way) {
    String told =
        way.streams
            ? chunks.getLast().at("/jarvis/corrected").asText("")
            : response.headers().firstValue("x-jarvis-corrected").orElse("");
    return told.isEmpty() ? Set.of() : Set.of(told.split(", "));
  }

  @Test
  @Order(2)
  void countsAsAnswers() {
    assertThat(answered).isGreaterThan(200);
    await().untilAsserted(() -> assertThat(requests("good", "ok")).isEqualTo(answered));
    assertThat(requests("good", "error")).isZero();
    assertThat(service.get("/metrics").body())
        .as("breakers")
        .doesNotContainPattern("llm_circuit_open\\{model=\"odd\",provider=\"good[^}]*} 1");
    await()
        .untilAsserted(() -> assertThat(requests("bad", "error")).isGreaterThanOrEqualTo(failed));
  }

  private static double requests(String kind, String outcome) {
    return service
        .get("/metrics")
        .body()
        .lines()
        .filter(it -> it.startsWith("llm_requests_total{model=\"odd\""))
        .filter(it -> it.contains("provider=\"" + kind + "-"))
        .filter(it -> it.contains("outcome=\"" + outcome + "\""))
        .mapToDouble(it -> Double.parseDouble(it.substring(it.lastIndexOf(' '))))
        .sum();
  }
}
