package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.jarvis.Programs;
import dev.jarvis.TestService;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The clients that people use, through the service, in front of servers that are a little off: each
 * gets the answer, whole and streamed, and its next turn with that answer is accepted.
 */
@Timeout(180)
class ClientsOfOddServersTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ROME = "{\"name\":\"weather\",\"arguments\":{\"city\":\"Rome\"}}";
  private static final String OSLO = "{\"name\":\"time\",\"arguments\":{\"city\":\"Oslo\"}}";
  private static final String BOTH = "{\"calls\":[" + ROME + "," + OSLO + "]}";
  private static final String SUNNY = "{\"text\":\"Sunny.\"}";
  private static final String USAGE =
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}";

  /**
   * A model of the odd server.
   *
   * @param expected what each client must get: JSON with {@code text}, {@code reasoning}, {@code
   *     calls}
   * @param stream the lines that the server sends
   */
  private record Odd(String model, String expected, List<String> stream) {
    static Odd of(String model, String expected, String... chunks) {
      List<String> lines = new ArrayList<>(List.of(chunks));
      lines.add(USAGE);
      lines.add("[DONE]");
      return new Odd(model, expected, lines);
    }
  }

  private static final List<Odd> SERVERS =
      List.of(
          Odd.of("plain", SUNNY, delta("'content':'Sun'"), delta("'content':'ny.'"), end("stop")),
          Odd.of(
              "calls",
              BOTH,
              calls(call("'index':0,'id':'a'", "weather", "{'city':'Rome'}")),
              calls(call("'index':1,'id':'b'", "time", "{'city':'Oslo'}")),
              end("tool_calls")),
          Odd.of(
              "calls-same-index",
              BOTH,
              calls(call("'index':0,'id':'a'", "weather", "{'city':'Rome'}")),
              calls(call("'index':0,'id':'b'", "time", "{'city':'Oslo'}")),
              end("tool_calls")),
          Odd.of(
              "calls-without-index",
              BOTH,
              calls(call("'id':'a'", "weather", "{'city':'Rome'}")),
              calls(call("'id':'b'", "time", "{'city':'Oslo'}")),
              end("tool_calls")),
          Odd.of(
              "calls-from-one",
              BOTH,
              calls(call("'index':1,'id':'a'", "weather", "{'city':'Rome'}")),
              calls(call("'index':2,'id':'b'", "time", "{'city':'Oslo'}")),
              end("tool_calls")),
          Odd.of(
              "calls-without-id",
              BOTH,
              calls(call("'index':0", "weather", "{'city':'Rome'}")),
              calls(call("'index':1", "time", "{'city':'Oslo'}")),
              end("tool_calls")),
          Odd.of(
              "calls-at-once",
              BOTH,
              calls(
                  call("'index':0,'id':'a'", "weather", "{'city':'Rome'}"),
                  call("'index':0,'id':'b'", "time", "{'city':'Oslo'}")),
              end("stop")),
          Odd.of(
              "arguments-as-object",
              "{\"calls\":[" + ROME + "]}",
              calls(
                  "{'index':0,'id':'a','function':{'name':'weather','arguments':{'city':'Rome'}}}"),
              end("tool_calls")),
          Odd.of(
              "stop-beside-calls",
              "{\"calls\":[" + ROME + "]}",
              calls(call("'index':0,'id':'a'", "weather", "{'city':'Rome'}")),
              end("stop")),
          new Odd(
              "no-done",
              SUNNY,
              List.of(delta("'role':'assistant','content':'Sunny.'"), end("stop"), USAGE)),
          new Odd(
              "no-usage-no-done",
              SUNNY,
              List.of(delta("'role':'assistant','content':'Sunny.'"), end("stop"))),
          new Odd(
              "usage-without-choices",
              SUNNY,
              List.of(
                  delta("'content':'Sunny.'"),
                  end("stop"),
                  USAGE.replace("\"choices\":[]", "\"choices\":null"),
                  "[DONE]")),
          Odd.of(
              "message-for-delta",
              SUNNY,
              quoted("{'choices':[{'index':0,'message':{'content':'Sunny.'}}]}"),
              end("stop")),
          Odd.of(
              "content-parts",
              SUNNY,
              delta("'content':[{'type':'text','text':'Sunny.'}]"),
              end("stop")),
          Odd.of(
              "reasoning-only",
              "{\"reasoning\":\"Hm.\"}",
              delta("'content':null,'reasoning_content':'Hm.'"),
              end("stop")),
          Odd.of(
              "reasoning",
              "{\"reasoning\":\"Hm.\",\"text\":\"Sunny.\"}",
              delta("'reasoning_content':'Hm.'"),
              delta("'content':'Sunny.'"),
              end("stop")));

  private static HttpServer server;
  private static TestService service;

  /** A client and how to run it. */
  enum Client {
    OPENAI_PYTHON,
    OPENAI,
    VERCEL,
    LANGCHAIN;

    List<String> command() throws IOException, InterruptedException {
      return this == OPENAI_PYTHON
          ? List.of(Programs.python("python").toString(), "src/test/python/odd_clients.py")
          : List.of(
              "node",
              "src/test/node/odd_clients.mjs",
              Programs.npmPackages(Path.of("src/test/node")).toString(),
              name().toLowerCase(Locale.ROOT));
    }
  }

  @BeforeAll
  static void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/models", ClientsOfOddServersTest::list);
    server.createContext("/v1/chat/completions", ClientsOfOddServersTest::answer);
    server.start();
    service =
        TestService.startWith(
                "providers:\n  odd: {type: openai, url: \"http://127.0.0.1:%d/v1\", ask: stream}\n"
                    .formatted(server.getAddress().getPort()))
            .awaitModel("plain");
  }

  @AfterAll
  static void stop() {
    service.close();
    server.stop(0);
  }

  @ParameterizedTest
  @EnumSource
  void getsTheAnswerAndCanGoOn(Client client) throws Exception {
    assumeThat(client == Client.OPENAI_PYTHON || Programs.onPath("npm")).isTrue();
    List<String> command = new ArrayList<>(client.command());
    command.addAll(List.of(service.uri("/v1").toString(), TestService.KEY));

    assertThat(Programs.runWithInput(cases(), command)).isEqualToIgnoringNewLines("ok");
  }

  private static String cases() throws IOException {
    ArrayNode cases = JSON.createArrayNode();
    for (Odd it : SERVERS) {
      cases.addObject().put("model", it.model()).setAll((ObjectNode) JSON.readTree(it.expected()));
    }
    return cases.toString();
  }

  private static void list(HttpExchange exchange) throws IOException {
    ArrayNode models = JSON.createArrayNode();
    SERVERS.forEach(it -> models.addObject().put("id", it.model()));
    send(exchange, "application/json", "{\"data\":" + models + "}");
  }

  private static void answer(HttpExchange exchange) throws IOException {
    String model = JSON.readTree(exchange.getRequestBody()).path("model").asText();
    StringBuilder body = new StringBuilder();
    SERVERS.stream()
        .filter(it -> it.model().equals(model))
        .flatMap(it -> it.stream().stream())
        .forEach(it -> body.append("data: ").append(it).append("\n\n"));
    send(exchange, "text/event-stream", body.toString());
  }

  private static void send(HttpExchange exchange, String type, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(200, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private static String quoted(String json) {
    return json.replace('\'', '"');
  }

  private static String delta(String fields) {
    return quoted("{'choices':[{'index':0,'delta':{" + fields + "}}]}");
  }

  private static String end(String reason) {
    return quoted("{'choices':[{'index':0,'delta':{},'finish_reason':'" + reason + "'}]}");
  }

  private static String calls(String... calls) {
    return delta("'tool_calls':[" + String.join(",", calls) + "]");
  }

  /** A call whose arguments come as JSON text. */
  private static String call(String head, String name, String arguments) {
    String text = quoted(arguments).replace("\"", "\\\"");
    return "{%s%s'type':'function','function':{'name':'%s','arguments':\"%s\"}}"
        .formatted(head, head.isEmpty() ? "" : ",", name, text);
  }
}
