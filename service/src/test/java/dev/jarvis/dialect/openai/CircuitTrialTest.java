package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.provider.ollama.FakeOllama;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many parallel requests to a route whose first target fails repeatedly. */
@Timeout(120)
class CircuitTrialTest {
  private static final Duration LIMIT = Duration.ofSeconds(40);
  private static final int MANY = 50;
  private static final String OPEN = "llm_circuit_open{model=\"fake:1b\",provider=\"ollama\"}";
  private static final FakeOllama SECOND = FakeOllama.start();
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service = SecondOllama.service(SECOND, "");
  }

  @AfterAll
  static void stop() {
    service.close();
    SECOND.close();
  }

  private static String body(String model) {
    return "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
        .formatted(model);
  }

  private static String provider() {
    HttpResponse<String> response = service.chat(body("both"));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return response.headers().firstValue("x-jarvis-provider").orElse("none");
  }

  @Test
  void clientsThatDisconnectDoNotOpenTheCircuit() throws Exception {
    SecondOllama.reset(SECOND);
    SECOND.stallBeforeHeaders();
    String aborted =
        "llm_requests_total{model=\"second:1b\",outcome=\"aborted\",provider=\"second\"}";
    try {
      for (int i = 1; i <= 10; i++) {
        try (RawConnection client = new RawConnection(service)) {
          client.send(RawConnection.chat(body("second:1b")));
          int asked = i;
          await().atMost(LIMIT).until(() -> SECOND.requests() == asked);
          client.reset();
          await().atMost(LIMIT).until(() -> service.metric(aborted) == asked);
        }
      }
    } finally {
      SecondOllama.reset(SECOND);
    }

    assertThat(service.metric("llm_circuit_open{model=\"second:1b\",provider=\"second\"}"))
        .isZero();
  }

  @Test
  void afterThePauseOneOfThemTriesItAndTheOthersPassItOver() throws Exception {
    service.ollama().failWith(500);
    for (int i = 0; i < 5; i++) {
      assertThat(provider()).isEqualTo("second");
    }
    assertThat(service.metric(OPEN)).isEqualTo(1);
    int failed = service.ollama().requests();

    for (int trial = 1; trial <= 2; trial++) {
      await().atMost(LIMIT).until(() -> service.metric(OPEN) == 0);
      boolean good = trial == 2;
      if (good) {
        service.ollama().reset();
        failed = 0;
      }
      service.ollama().hold();
      int answered = SECOND.requests();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        List<CompletableFuture<String>> providers = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
          providers.add(CompletableFuture.supplyAsync(CircuitTrialTest::provider, threads));
        }
        await().atMost(LIMIT).until(() -> SECOND.requests() == answered + MANY - 1);
        await()
            .atMost(LIMIT)
            .until(() -> providers.stream().filter(CompletableFuture::isDone).count() == MANY - 1);
        assertThat(service.ollama().requests()).as("the trial").isEqualTo(failed + 1);
        assertThat(service.metric(OPEN)).as("while it is tried").isEqualTo(1);

        service.ollama().release();

        assertThat(providers.stream().map(CompletableFuture::join).filter("ollama"::equals))
            .hasSize(good ? 1 : 0);
      }
      assertThat(service.ollama().requests()).isEqualTo(failed + 1);
      assertThat(service.metric(OPEN)).as("after the trial").isEqualTo(good ? 0 : 1);
      failed++;
    }
    assertThat(provider()).isEqualTo("ollama");
  }
}
