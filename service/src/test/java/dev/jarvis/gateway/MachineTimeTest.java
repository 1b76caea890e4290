package dev.jarvis.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MachineTimeTest {
  private final AtomicLong now = new AtomicLong(1_000);
  private final MachineTime machines = new MachineTime(now::get);

  @ParameterizedTest
  @CsvSource({
    // +x: begins; -x: ends; a number: nanoseconds pass; then the shares
    "+a 10 -a, a=10",
    "+a 10 +b 10 -a 10 -b, a=15 b=15",
    "+a +b 10 -a -b, a=5 b=5",
    "+a 10 -a 90 +b 10 -b, a=10 b=10", // the machine is idle in between
    "+a +b +c 9 -b 10 -a -c, a=8 b=3 c=8",
    "+a +b +c 10 -a -b -c, a=3 b=3 c=4", // what is left goes to the last one
    "+a 5 -a -a 5 -a, a=5", // ends once
    "+a -a, a=0",
  })
  void sharesTheTimeOverWhatRunsAtOnce(String steps, String expected) {
    Map<String, MachineTime.Share> shares = new HashMap<>();
    for (String step : steps.split(" ", -1)) {
      switch (step.charAt(0)) {
        case '+' -> shares.put(step.substring(1), machines.start("ollama"));
        case '-' -> Objects.requireNonNull(shares.get(step.substring(1))).end();
        default -> now.addAndGet(Long.parseLong(step));
      }
    }

    for (String share : expected.split(" ", -1)) {
      assertThat(Objects.requireNonNull(shares.get(share.split("=", 2)[0])).time())
          .as(share)
          .isEqualTo(Duration.ofNanos(Long.parseLong(share.split("=", 2)[1])));
    }
  }

  @Test
  void eachProviderIsAMachineOfItsOwn() {
    MachineTime.Share one = machines.start("one");
    MachineTime.Share two = machines.start("two");
    now.addAndGet(10);
    one.end();
    two.end();

    assertThat(one.time()).isEqualTo(Duration.ofNanos(10));
    assertThat(two.time()).isEqualTo(Duration.ofNanos(10));
  }

  @Test
  void aShareIsKnownBeforeItsEnd() {
    MachineTime.Share one = machines.start("ollama");
    MachineTime.Share two = machines.start("ollama");
    now.addAndGet(10);

    assertThat(one.time()).isEqualTo(Duration.ofNanos(5));
    now.addAndGet(10);
    two.end();
    assertThat(one.time()).isEqualTo(Duration.ofNanos(10));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theSharesAddUpToTheTimeInWhichTheMachineWasBusy(long seed) {
    Random random = new Random(seed);
    List<MachineTime.Share> running = new ArrayList<>();
    List<MachineTime.Share> all = new ArrayList<>();
    long busy = 0;
    for (int step = 0; step < 10_000; step++) {
      long passed = random.nextInt(1_000_003);
      now.addAndGet(passed);
      busy += running.isEmpty() ? 0 : passed;
      if (running.isEmpty() || (running.size() < 40 && random.nextBoolean())) {
        running.add(machines.start("ollama"));
        all.add(running.getLast());
      } else {
        running.remove(random.nextInt(running.size())).end();
      }
    }
    for (MachineTime.Share share : running) {
      long passed = random.nextInt(1_000_003);
      now.addAndGet(passed);
      busy += passed;
      share.end();
    }

    assertThat(all.stream().mapToLong(it -> it.time().toNanos()).sum()).isEqualTo(busy);
    assertThat(all).allSatisfy(it -> assertThat(it.time()).isGreaterThanOrEqualTo(Duration.ZERO));
  }
}
