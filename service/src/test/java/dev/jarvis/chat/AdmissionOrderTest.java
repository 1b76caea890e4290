package dev.jarvis.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** First come, first served. */
@Timeout(60)
class AdmissionOrderTest {
  private final Telemetry telemetry = Recorded.start();

  @AfterEach
  void close() {
    telemetry.close();
  }

  @Test
  void aRequestThatComesLaterDoesNotOvertakeOneThatWaits() throws Exception {
    Duration limit = Duration.ofSeconds(30);
    ChatConfig config =
        new ChatConfig(1, 1, limit, limit, limit, 1, 10, limit, ContentUrls.Mode.REFUSE);
    Admission admission = new Admission(config, telemetry.instruments());
    for (int round = 0; round < 50; round++) {
      List<String> order = new CopyOnWriteArrayList<>();
      Admission.Turn busy = admission.enter();
      Thread waiting =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Admission.Turn ignored = admission.enter()) {
                      order.add("waited");
                    }
                  });
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> waiting.getState() == Thread.State.TIMED_WAITING);

      busy.close();
      try (Admission.Turn ignored = admission.enter()) {
        order.add("came later");
      }
      waiting.join();

      assertThat(order).containsExactly("waited", "came later");
    }
  }
}
