package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.TestService;
import dev.jarvis.http.connection.RawConnection;
import dev.jarvis.provider.ollama.FakeOllama;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A stream whose first target is silent for long, and then fails. */
@Timeout(60)
class KeepAliveFallbackTest {
  private static final FakeOllama SECOND = FakeOllama.start();
  private static TestService service;

  @BeforeAll
  static void start() throws Exception {
    service = SecondOllama.service(SECOND, "chat: {sse-keep-alive: 50ms}");
  }

  @AfterAll
  static void stop() {
    service.close();
    SECOND.close();
  }

  @AfterEach
  void reset() {
    service.ollama().reset();
    SecondOllama.reset(SECOND);
  }

  private static String question(String model) {
    return """
        {"model":"%s","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"""
        .formatted(model);
  }

  @Test
  void sendsCommentsAndIsAnsweredByTheSecondTarget() throws Exception {
    service.ollama().errorLineFirst();
    service.ollama().hold();
    try (RawConnection client = new RawConnection(service)) {
      client.send(RawConnection.chat(question("both")));

      String head = client.readUntil(": keep-alive\n\n");
      assertThat(head)
          .startsWith("HTTP/1.1 200 ")
          .containsIgnoringCase("content-type: text/event-stream")
          .doesNotContainIgnoringCase("x-jarvis-provider")
          .doesNotContain("data:");
      client.readUntil(": keep-alive\n\n");
      assertThat(SECOND.requests()).isZero();
      service.ollama().release();

      assertThat(client.readUntil("[DONE]"))
          .contains("\"content\":\"Hello\"", "\"finish_reason\":\"stop\"")
          .containsOnlyOnce("\"role\":\"assistant\"")
          .contains("\"provider\":\"second\"")
          .containsPattern("(?m)^: jarvis .*\"provider\":\"second\"")
          .doesNotContain("\"error\"");
    }
    assertThat(SECOND.requests()).isEqualTo(1);
  }

  @Test
  void endsWithAnErrorEventIfNoTargetAnswers() throws Exception {
    service.ollama().errorLineFirst();
    service.ollama().hold();
    try (RawConnection client = new RawConnection(service)) {
      client.send(RawConnection.chat(question("fake:1b")));
      client.readUntil(": keep-alive\n\n");
      service.ollama().release();

      assertThat(client.readUntil("\r\n0\r\n\r\n"))
          .containsSubsequence("data: {\"error\":", "data: [DONE]");
    }
  }
}
