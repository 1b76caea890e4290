package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.provider.ollama.FakeOllama;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that send the same request at the same time share one generation. */
@Timeout(120)
class SharedGenerationTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String ACTIVE = "http_active_requests";
  private static final String CLOSED =
      "http_requests_total{method=\"POST\",route=\"/v1/chat/completions\",status=\"499\"}";

  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @TempDir private static Path folder;
  private static TestService service;
  private static FakeOllama ollama;
  private static int questions;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private String question = "";

  @BeforeAll
  static void start() throws Exception {
    Path file = folder.resolve("jarvis.yaml");
    Files.writeString(
        file,
        "routes: [{name: ours, cache: shared, targets: [{provider: ollama, model: \"fake:1b\"}]}]");
    service =
        TestService.start(
            Map.of(
                "JARVIS_CONFIG", file.toString(),
                "JARVIS_CHAT_MAX_CONCURRENT", "8",
                "JARVIS_CHAT_MAX_QUEUED", "0",
                "JARVIS_SERVER_WRITE_TIMEOUT", "3s"));
    ollama = service.ollama();
    service.awaitModel(ollama.model());
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @BeforeEach
  void reset() {
    ollama.reset();
    question = "question " + questions++;
  }

  @AfterEach
  void close() {
    ollama.release();
    awaitActive(0); // what a disconnected client leaves to count must not count in the next test
    threads.close();
  }

  @Test
  void fortyClientsAreOneRequestToTheModel() throws Exception {
    double hits = service.metric("llm_cache_requests_total{result=\"hit\"}");
    ollama.hold();

    List<CompletableFuture<HttpResponse<String>>> answers = ask(40);
    awaitActive(40);
    await().atMost(LIMIT).until(() -> ollama.requests() == 1);
    ollama.release();

    assertThat(answers.stream().map(it -> cache(good(it))).filter("hit"::equals)).hasSize(39);
    assertThat(ollama.requests()).isEqualTo(1);
    assertThat(service.metric("llm_cache_requests_total{result=\"hit\"}")).isEqualTo(hits + 39);
  }

  @Test
  void aGenerationThatEndsDuringCacheLookupsIsNotRepeated() {
    int rounds = 20;
    String asked = question;
    for (int i = 0; i < rounds; i++) {
      question = asked + " of round " + i;
      assertThat(ask(30).stream().map(it -> content(good(it)))).containsOnly(ollama.answer());
    }

    assertThat(ollama.requests()).isEqualTo(rounds);
  }

  @Test
  void aFollowerThatDisconnectsBeforeTheFirstPieceIsAborted() throws Exception {
    double closed = service.metric(CLOSED);
    ollama.stallBeforeFirstPiece();
    try (RawConnection leader = new RawConnection(service);
        RawConnection follower = new RawConnection(service)) {
      leader.send(RawConnection.chat(body(true)));
      await().atMost(LIMIT).until(() -> ollama.requests() == 1);
      follower.send(RawConnection.chat(body(false)));
      awaitActive(2);

      follower.reset();

      await().atMost(LIMIT).until(() -> service.metric(CLOSED) == closed + 1);
      assertThat(ollama.clientGone()).isFalse();
      leader.reset();
      await().atMost(LIMIT).until(ollama::clientGone);
      await().atMost(LIMIT).until(() -> service.metric(CLOSED) == closed + 2);
    }
    assertThat(ollama.requests()).isEqualTo(1);
  }

  @Test
  void aStalledLeaderDelaysNoFollower() throws Exception {
    String piece = "x".repeat(16 << 10);
    int pieces = 50; // less than a reader may lag behind
    ollama.answerWith("{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(piece), pieces);
    ollama.hold();
    try (Socket leader = leadWithoutReading()) {
      List<HttpResponse<InputStream>> followers = List.of(follow(), follow(), follow());
      ollama.release();

      for (HttpResponse<InputStream> each : followers) {
        assertThat(cache(each)).isEqualTo("hit");
        assertThat(text(each).length()).isEqualTo(pieces * piece.length());
      }
      assertThat(new String(leader.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
          .as("the leader reads after they have ended")
          .isEqualTo("HTTP/1.1 200");
    }
    assertThat(ollama.requests()).isEqualTo(1);
  }

  @Test
  void aStalledLeaderOfALongAnswerIsDisconnectedAndTheFollowersGetAllOfIt() throws Exception {
    String piece = "x".repeat(32 << 10);
    int pieces = 512; // more than the sockets' buffers hold
    ollama.answerWith("{\"role\":\"assistant\",\"content\":\"%s\"}".formatted(piece), pieces);
    ollama.hold();
    double closed = service.metric(CLOSED);
    try (Socket leader = leadWithoutReading()) {
      List<HttpResponse<InputStream>> followers = List.of(follow(), follow());
      ollama.release();

      // in parallel, because each is as slow as the slowest
      List<CompletableFuture<String>> texts =
          followers.stream()
              .map(it -> CompletableFuture.supplyAsync(() -> text(it), threads))
              .toList();
      for (CompletableFuture<String> each : texts) {
        assertThat(each.join().length()).isEqualTo(pieces * piece.length());
      }
      await().atMost(LIMIT).until(() -> service.metric(CLOSED) == closed + 1);
      assertThat(leader.isClosed()).isFalse();
    }
    assertThat(ollama.requests()).isEqualTo(1);
  }

  @Test
  void aGenerationContinuesAfterItsLeaderDisconnects() throws Exception {
    ollama.hold();
    double closed = service.metric(CLOSED);
    try (RawConnection leader = lead()) {
      List<HttpResponse<InputStream>> followers = List.of(follow(), follow(), follow());

      leader.reset();
      await().atMost(LIMIT).until(() -> service.metric(CLOSED) == closed + 1);
      assertThat(ollama.clientGone()).isFalse();
      ollama.release();

      for (HttpResponse<InputStream> each : followers) {
        assertThat(cache(each)).isEqualTo("hit");
        assertThat(text(each)).isEqualTo(ollama.answer());
      }
    }
    assertThat(ollama.requests()).isEqualTo(1);
  }

  @Test
  void aFollowerThatDisconnectsIsAbortedAndTheLeaderGetsTheWholeAnswer() throws Exception {
    String aborted = "llm_requests_total{model=\"_other\",outcome=\"aborted\",provider=\"_none\"}";
    double abortedBefore = service.metric(aborted);
    String error = "llm_cache_requests_total{result=\"error\"}";
    double errors = service.metric(error);
    double closed = service.metric(CLOSED);
    ollama.hold();
    try (RawConnection leader = lead();
        RawConnection follower = new RawConnection(service)) {
      follower.send(RawConnection.chat(body(true)));
      follower.readUntil("\"content\":\"Hello");

      follower.reset();

      await().atMost(LIMIT).until(() -> service.metric(CLOSED) == closed + 1);
      await().atMost(LIMIT).until(() -> service.metric(aborted) == abortedBefore + 1);
      assertThat(ollama.clientGone()).isFalse();
      ollama.release();
      assertThat(leader.readUntil("[DONE]")).contains("\"finish_reason\":\"stop\"");
    }
    assertThat(service.metric(error)).as("Redis is not at fault").isEqualTo(errors);
    assertThat(ollama.requests()).isEqualTo(1);
  }

  @Test
  void theGenerationEndsWhenTheLastClientDisconnects() throws Exception {
    String aborted =
        "llm_requests_total{model=\"fake:1b\",outcome=\"aborted\",provider=\"ollama\"}";
    double before = service.metric(aborted);
    ollama.hold();
    try (RawConnection leader = lead();
        RawConnection follower = new RawConnection(service)) {
      follower.send(RawConnection.chat(body(true)));
      follower.readUntil("\"content\":\"Hello");

      leader.reset();
      follower.reset();

      await().atMost(LIMIT).until(ollama::clientGone);
      await().atMost(LIMIT).until(() -> service.metric(aborted) == before + 1);
    }
  }

  @Test
  void followersRetryAGenerationThatFailsBeforeItsFirstEvent() throws Exception {
    ollama.hold();
    ollama.failTimes(1, 400, 0);
    ollama.pauseBetweenPieces(
        Duration.ofMillis(100)); // the second is under way when the last joins

    List<CompletableFuture<HttpResponse<String>>> answers = ask(6);
    awaitActive(6);
    await().atMost(LIMIT).until(() -> ollama.requests() == 1);
    ollama.release();

    List<HttpResponse<String>> responses = answers.stream().map(CompletableFuture::join).toList();
    assertThat(responses.stream().filter(it -> it.statusCode() == 400)).as("the leader").hasSize(1);
    assertThat(responses.stream().filter(it -> it.statusCode() == 200))
        .hasSize(5)
        .allMatch(it -> content(it).equals(ollama.answer()));
    assertThat(ollama.requests()).isEqualTo(2);
  }

  @Test
  void theyShareOneWithoutRedisToo() throws Exception {
    try (TestService alone =
        TestService.start(
            Map.of(
                "JARVIS_CONFIG", folder.resolve("jarvis.yaml").toString(),
                "JARVIS_CHAT_MAX_CONCURRENT", "1",
                "JARVIS_CHAT_MAX_QUEUED", "0",
                "JARVIS_REDIS_URL", "redis://127.0.0.1:1"))) {
      alone.awaitModel(alone.ollama().model()).ollama().hold();
      List<HttpResponse<InputStream>> answers = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        answers.add(follow(alone));
      }
      alone.ollama().release();

      assertThat(answers.stream().map(SharedGenerationTest::text))
          .containsOnly(alone.ollama().answer());
      assertThat(answers.stream().map(SharedGenerationTest::cache).filter("hit"::equals))
          .hasSize(9);
      assertThat(alone.ollama().requests()).isEqualTo(1);
    }
  }

  private RawConnection lead() throws Exception {
    RawConnection leader = new RawConnection(service).send(RawConnection.chat(body(true)));
    leader.readUntil("\"content\":\"Hello");
    return leader;
  }

  private Socket leadWithoutReading() throws IOException {
    Socket socket = new Socket();
    socket.setReceiveBufferSize(4 << 10);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), service.port()));
    socket
        .getOutputStream()
        .write(RawConnection.chat(body(true)).getBytes(StandardCharsets.US_ASCII));
    await().atMost(LIMIT).until(() -> ollama.requests() == 1);
    return socket;
  }

  /** A follower whose answer has begun. */
  private HttpResponse<InputStream> follow() throws Exception {
    return follow(service);
  }

  private HttpResponse<InputStream> follow(TestService of) throws Exception {
    return CLIENT.send(
        of.request("/v1/chat/completions").POST(BodyPublishers.ofString(body(true))).build(),
        BodyHandlers.ofInputStream());
  }

  /** The text of a stream that ends as it should. */
  private static String text(HttpResponse<InputStream> stream) {
    try (InputStream in = stream.body()) {
      String events = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(events).endsWith("data: [DONE]\n\n");
      return events
          .lines()
          .filter(it -> it.startsWith("data: {"))
          .map(it -> TestService.json(it.substring(6)))
          .map(it -> it.at("/choices/0/delta/content").asText())
          .collect(Collectors.joining());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private List<CompletableFuture<HttpResponse<String>>> ask(int clients) {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      answers.add(CompletableFuture.supplyAsync(() -> service.chat(body(false)), threads));
    }
    return answers;
  }

  /** Including the request for the metric. */
  private static void awaitActive(int requests) {
    await().atMost(LIMIT).until(() -> service.metric(ACTIVE) == requests + 1);
  }

  private String body(boolean stream) {
    return """
        {"model":"ours","temperature":0,"stream":%s,"messages":[{"role":"user","content":"%s"}]}"""
        .formatted(stream, question);
  }

  private static HttpResponse<String> good(CompletableFuture<HttpResponse<String>> answer) {
    HttpResponse<String> response = answer.join();
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return response;
  }

  private static String content(HttpResponse<String> answer) {
    return TestService.json(answer.body()).at("/choices/0/message/content").asText();
  }

  private static String cache(HttpResponse<?> response) {
    return response.headers().firstValue("x-jarvis-cache").orElse("none");
  }
}
