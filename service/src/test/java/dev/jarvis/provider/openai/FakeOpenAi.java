package dev.jarvis.provider.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A fake server of OpenAI's dialect on a free port, for answers that a small real model does not
 * give.
 */
public final class FakeOpenAi implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final String model;
  private volatile String lastBody = "";
  private volatile List<String> events = List.of();
  private volatile @Nullable String embeddings;
  private volatile int listStatus = 200;
  private volatile @Nullable String list;
  private volatile boolean done = true;
  private volatile boolean hanging;
  private volatile boolean compressed;
  private volatile int printed;
  private volatile int busyFor;
  private volatile @Nullable String answer;
  private volatile @Nullable Response response;
  private volatile @Nullable String refusedField;
  private volatile String refusal = "";
  private volatile int refusalStatus;
  private final AtomicInteger requests = new AtomicInteger();
  private final CountDownLatch closing = new CountDownLatch(1);

  private FakeOpenAi(HttpServer server, String model) {
    this.server = server;
    this.model = model;
  }

  /** Starts a server that lists one model. */
  public static FakeOpenAi start(String model) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    FakeOpenAi fake = new FakeOpenAi(server, model);
    server.setExecutor(fake.threads);
    server.createContext("/v1/models", fake::list);
    server.createContext("/v1/chat/completions", fake::chat);
    server.createContext("/v1/embeddings", fake::embed);
    server.start();
    return fake;
  }

  /** Its base URL. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1");
  }

  /** Sets the events of a stream, before {@code [DONE]}. */
  public void events(String... json) {
    events = List.of(json);
  }

  /** Sets the events of a stream without {@code [DONE]}. */
  public void eventsWithoutDone(String... json) {
    events = List.of(json);
    done = false;
  }

  /** Sets the response to a request for the list of models. */
  public void listWith(int status, String body) {
    listStatus = status;
    list = body;
  }

  /** Compresses the list of models, although that is not asked for. */
  public void listCompressed() {
    compressed = true;
  }

  /** Sets the whole answer. */
  public void answer(String json) {
    answer = json;
  }

  private record Response(int status, String body, Map<String, String> headers) {}

  /** Sets the response to every chat and request for vectors, whatever was asked for. */
  public void respond(int status, String body, Map<String, String> headers) {
    response = new Response(status, body, headers);
  }

  /** Refuses chats that have this field. */
  public void refuse(String field) {
    refuse(field, 400, "{\"error\":{\"message\":\"Unknown parameter: '" + field + "'.\"}}");
  }

  /** Refuses chats that have this field, in the words of another server. */
  public void refuse(String field, int status, String body) {
    refusal = body;
    refusalStatus = status;
    refusedField = field;
  }

  /** Sends valid answers again, and sets the counter to 0. */
  public void reset() {
    answer = null;
    response = null;
    refusedField = null;
    events();
    done = true;
    embeddings = null;
    hanging = false;
    compressed = false;
    printed = 0;
    busyFor = 0;
    requests.set(0);
  }

  /** Sends the beginning of the vectors and then nothing until the server is closed. */
  public void hangInsideEmbeddings() {
    hanging = true;
  }

  /** Sends vectors of this length, with each number on a line of its own, as OpenAI does. */
  public void printVectors(int dimensions) {
    printed = dimensions;
  }

  /** Answers with 429 and this {@code Retry-After}. */
  public void beBusyFor(int seconds) {
    busyFor = seconds;
  }

  /** The number of requests for chats and embeddings. */
  public int requests() {
    return requests.get();
  }

  /** Sets the response to a request for embeddings, instead of vectors of the requested length. */
  public void embedWith(String json) {
    embeddings = json;
  }

  /** The body of the last request. */
  public String lastBody() {
    return lastBody;
  }

  @Override
  public void close() {
    closing.countDown();
    server.stop(0);
    threads.close();
  }

  private void list(HttpExchange exchange) throws IOException {
    String body = list == null ? "{\"data\":[{\"id\":\"" + model + "\"}]}" : list;
    if (!compressed) {
      send(exchange, listStatus, "application/json", body);
      return;
    }
    exchange.getResponseHeaders().set("Content-Encoding", "gzip");
    exchange.sendResponseHeaders(listStatus, 0);
    try (OutputStream out = new GZIPOutputStream(exchange.getResponseBody())) {
      out.write(body.getBytes(StandardCharsets.UTF_8));
    }
  }

  private void chat(HttpExchange exchange) throws IOException {
    lastBody = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    requests.incrementAndGet();
    if (responded(exchange)) {
      return;
    }
    if (busyFor > 0) {
      exchange.getResponseHeaders().set("Retry-After", Integer.toString(busyFor));
      exchange.sendResponseHeaders(429, -1);
      return;
    }
    JsonNode request = JSON.readTree(lastBody);
    String field = refusedField;
    if (field != null && request.has(field)) {
      send(exchange, refusalStatus, "application/json", refusal);
      return;
    }
    String whole = answer;
    if (!request.path("stream").asBoolean()) {
      send(exchange, "application/json", whole == null ? assembled(events) : whole);
      return;
    }
    StringBuilder body = new StringBuilder();
    events.forEach(it -> body.append("data: ").append(it).append("\n\n"));
    send(exchange, "text/event-stream", body + (done ? "data: [DONE]\n\n" : ""));
  }

  private boolean responded(HttpExchange exchange) throws IOException {
    Response it = response;
    if (it != null) {
      it.headers().forEach(exchange.getResponseHeaders()::set);
      send(
          exchange,
          it.status(),
          it.headers().getOrDefault("Content-Type", "text/plain"),
          it.body());
    }
    return it != null;
  }

  /** The whole answer made of the events of a stream; an event that is no chunk replaces it. */
  private static String assembled(List<String> events) throws IOException {
    ObjectNode answer = JSON.createObjectNode();
    for (String event : events) {
      JsonNode chunk;
      try {
        chunk = JSON.readTree(event);
      } catch (IOException e) {
        return event;
      }
      if (!chunk.path("choices").isArray()) {
        return event;
      }
      for (JsonNode part : chunk.path("choices")) {
        int index = part.path("index").asInt();
        ObjectNode choice = null;
        for (JsonNode known : answer.withArray("choices")) {
          choice = known.path("index").asInt() == index ? (ObjectNode) known : choice;
        }
        choice = choice == null ? answer.withArray("choices").addObject() : choice;
        for (var field : part.properties()) {
          if (field.getKey().equals("delta")) {
            merge(choice.withObject("/message"), field.getValue());
          } else if (field.getKey().equals("logprobs") && field.getValue().isObject()) {
            merge(choice.withObject("/logprobs"), field.getValue());
          } else if (!field.getValue().isNull()) {
            choice.set(field.getKey(), field.getValue());
          }
        }
      }
      chunk
          .properties()
          .forEach(
              it -> {
                if (!it.getKey().equals("choices")) {
                  answer.set(it.getKey(), it.getValue());
                }
              });
    }
    if (answer.withArray("choices").isEmpty()) {
      answer.withArray("choices").addObject().put("finish_reason", "stop").putObject("message");
    }
    answer.withArray("choices").forEach(it -> calls((ObjectNode) it.path("message")));
    return answer.toString();
  }

  private static void merge(ObjectNode whole, JsonNode delta) {
    for (var field : delta.properties()) {
      JsonNode known = whole.get(field.getKey());
      if (known != null && known.isTextual()) {
        whole.put(field.getKey(), known.asText() + field.getValue().asText(""));
      } else if (known instanceof ArrayNode list) {
        field.getValue().forEach(list::add);
      } else if (known instanceof ObjectNode object) {
        merge(object, field.getValue());
      } else {
        whole.set(field.getKey(), field.getValue().deepCopy());
      }
    }
  }

  /** Joins the pieces of tool calls by index. */
  private static void calls(ObjectNode message) {
    if (!(message.get("tool_calls") instanceof ArrayNode pieces)) {
      return;
    }
    Map<Integer, ObjectNode> calls = new TreeMap<>();
    for (JsonNode piece : pieces) {
      ObjectNode call = ((ObjectNode) piece).deepCopy();
      int index = call.remove("index").asInt();
      ObjectNode known = calls.putIfAbsent(index, call);
      if (known != null) {
        merge(known, call);
      }
    }
    pieces.removeAll();
    calls.values().forEach(pieces::add);
  }

  private void embed(HttpExchange exchange) throws IOException {
    lastBody = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    requests.incrementAndGet();
    if (responded(exchange)) {
      return;
    }
    if (hanging) {
      hang(exchange);
      return;
    }
    if (printed > 0) {
      print(exchange, JSON.readTree(lastBody).path("input").size(), printed);
      return;
    }
    String body = embeddings;
    send(exchange, "application/json", body == null ? vectors(JSON.readTree(lastBody)) : body);
  }

  private void hang(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 0);
    exchange
        .getResponseBody()
        .write("{\"data\": [{\"index\": 0, ".getBytes(StandardCharsets.UTF_8));
    exchange.getResponseBody().flush();
    try {
      closing.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Sends the body piece by piece, because a large answer may not fit in the tests' heap. */
  private static void print(HttpExchange exchange, int vectors, int dimensions) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, 0);
    byte[] number = "        -0.0069292834959924221,\n".getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = new BufferedOutputStream(exchange.getResponseBody(), 64 << 10)) {
      out.write("{\n  \"object\": \"list\",\n  \"data\": [\n".getBytes(StandardCharsets.UTF_8));
      for (int i = 0; i < vectors; i++) {
        out.write(
            "%s    {\n      \"object\": \"embedding\",\n      \"index\": %d,\n      \"embedding\": [\n"
                .formatted(i == 0 ? "" : ",\n", i)
                .getBytes(StandardCharsets.UTF_8));
        for (int j = 1; j < dimensions; j++) {
          out.write(number);
        }
        out.write("        0.5\n      ]\n    }".getBytes(StandardCharsets.UTF_8));
      }
      out.write(
          "\n  ],\n  \"usage\": {\"prompt_tokens\": 5, \"total_tokens\": 5}\n}\n"
              .getBytes(StandardCharsets.UTF_8));
    }
  }

  private static String vectors(JsonNode request) {
    ObjectNode answer = JSON.createObjectNode();
    for (int i = 0; i < request.path("input").size(); i++) {
      ObjectNode vector = answer.withArray("data").addObject().put("index", i);
      for (int j = 0; j < request.path("dimensions").asInt(2); j++) {
        vector.withArray("embedding").add(j);
      }
    }
    return answer.toString();
  }

  private static void send(HttpExchange exchange, String type, String body) throws IOException {
    send(exchange, 200, type, body);
  }

  private static void send(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }
}
