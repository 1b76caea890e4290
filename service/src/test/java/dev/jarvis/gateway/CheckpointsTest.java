package dev.jarvis.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.id.UuidV7;
import dev.jarvis.json.Json;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How often accounts hear of a streamed answer. */
class CheckpointsTest {
  private static final TargetName TARGET = new TargetName("p", "m");

  private final List<Checkpoint> told = new ArrayList<>();
  private Telemetry telemetry;
  private Call call;
  private Attempt attempt;
  private Checkpoints checkpoints;
  private long now;

  @BeforeEach
  void start() {
    telemetry = Recorded.start();
    ChatRequest chat = new ChatRequest("m", Json.object());
    call = Call.of(UuidV7.next(), "r", Caller.service("ann", null), chat, true, "");
    call.record()
        .add(
            new Account() {
              @Override
              public void checkpoint(Checkpoint checkpoint) {
                told.add(checkpoint);
              }

              @Override
              public void settle(@Nullable LedgerEntry entry) {}
            });
    attempt = new Attempt(telemetry, chat, true, new Attempt.Target(TARGET, "m", Double.NaN));
    attempt.began();
    call.record().attempt(attempt);
    checkpoints = new Checkpoints(call, attempt, () -> now);
  }

  @AfterEach
  void stop() {
    telemetry.close();
  }

  private void write(int tokens) {
    for (int i = 0; i < tokens; i++) {
      attempt.observe(new Event.Text(0, "x", null));
      checkpoints.observe();
    }
  }

  @Test
  void tellsEveryThousandTokens() {
    write(999);
    assertThat(told).isEmpty();
    write(1_001);
    assertThat(told).extracting(it -> it.usage().outputTokens()).containsExactly(1_000, 2_000);
    assertThat(told.getFirst().callId()).isEqualTo(call.id());
    assertThat(told.getFirst().attempt()).isEqualTo(1);
    assertThat(told.getFirst().target()).isEqualTo(TARGET);
  }

  @Test
  void tellsEveryFiveSeconds() {
    write(1);
    now += Duration.ofSeconds(5).toNanos() - 1;
    write(1);
    assertThat(told).isEmpty();
    now++;
    write(1);
    write(1);
    assertThat(told).extracting(it -> it.usage().outputTokens()).containsExactly(3);
  }
}
