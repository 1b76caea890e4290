package dev.jarvis.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.id.UuidV7;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is written down of calls, and the estimate from it. */
class LedgerJsonTest {
  private static final TargetName TARGET = new TargetName("p", "m");
  private static final Usage USAGE = new Usage(10, 2, 30, 4, false);
  private static final Origin ORIGIN =
      new Origin("ann", "team", "key", null, UuidV7.next(), "r\u0000\u2028\"", "t");
  private static final Intent INTENT =
      new Intent(
          UuidV7.next(),
          LocalDate.of(2026, 11, 28),
          ORIGIN,
          new Asked(Operation.CHAT, "route", true),
          TARGET,
          USAGE,
          Duration.ofNanos(1_234_567_891));

  /** A dollar a token. */
  private static final Settlement.Pricing PRICING =
      (target, at, usage, compute) ->
          Optional.of(new Cost(new BigDecimal(usage.tokens() + ".000000000001"), null));

  @Test
  void readsWhatItWrote() throws Exception {
    Checkpoint checkpoint = new Checkpoint(INTENT.callId(), 2, TARGET, USAGE, Duration.ofDays(3));
    LedgerEntry entry = Estimates.entry(INTENT, checkpoint, Rank.RECOVERED, PRICING);

    for (Record value : List.of(INTENT, checkpoint, entry)) {
      assertThat(LedgerJson.read(LedgerJson.write(value), value.getClass())).isEqualTo(value);
    }
  }

  @Test
  void skipsWhatOnlyANewerReleaseKnows() throws Exception {
    String json =
        new String(LedgerJson.write(USAGE), UTF_8).replace("{", "{\"video\":{\"tokens\":[1]},");

    assertThat(LedgerJson.read(json.getBytes(UTF_8), Usage.class)).isEqualTo(USAGE);
  }

  @Test
  void refusesWhatIsNoJson() {
    assertThatThrownBy(() -> LedgerJson.read(new byte[] {1, 2, 3}, Intent.class))
        .isInstanceOf(IOException.class);
  }

  @Test
  void estimatesFromTheLastCheckpointElseFromTheIntent() {
    Usage soFar = new Usage(10, 2, 7, 0, false);
    Checkpoint checkpoint =
        new Checkpoint(INTENT.callId(), 2, new TargetName("q", "n"), soFar, Duration.ofSeconds(9));

    LedgerEntry without = Estimates.entry(INTENT, null, Rank.ESTIMATED, PRICING);
    LedgerEntry with = Estimates.entry(INTENT, checkpoint, Rank.RECOVERED, PRICING);

    assertThat(without.usage()).isEqualTo(USAGE.asEstimate());
    assertThat(without.costUsd()).isEqualTo("46.000000000001");
    assertThat(without.duration()).isEqualTo(INTENT.compute());
    assertThat(with.usage()).isEqualTo(soFar.asEstimate());
    assertThat(with.costUsd()).isEqualTo("19.000000000001");
    assertThat(with.result().target()).isEqualTo(new TargetName("q", "n"));
    assertThat(with.attempts().getFirst().number()).isEqualTo(2);
    assertThat(with).isEqualTo(Estimates.entry(INTENT, checkpoint, Rank.RECOVERED, PRICING));
    assertThat(with.origin()).isEqualTo(ORIGIN);
    assertThat(with.day()).isEqualTo(INTENT.day());
  }
}
