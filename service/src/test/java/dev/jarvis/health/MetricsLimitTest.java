package dev.jarvis.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.error.ApiException;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MetricsLimitTest {
  private final CountDownLatch collecting = new CountDownLatch(2);
  private final CountDownLatch collected = new CountDownLatch(1);
  private final MetricsRoutes routes =
      new MetricsRoutes(
          () -> {
            collecting.countDown();
            await(collected);
            return new MetricSnapshots();
          });

  private byte[] render() throws Exception {
    return routes.render(ExpositionFormats.init().getPrometheusTextFormatWriter(), false);
  }

  @Test
  void twoClientsCollectMetricsAtOnceAndOthersAreRefused() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<byte[]>> both =
          List.of(threads.submit(this::render), threads.submit(this::render));
      await(collecting);

      assertThatThrownBy(this::render)
          .isInstanceOf(ApiException.Overloaded.class)
          .hasMessage("2 clients are reading the metrics, which is the maximum. Try again later.");

      collected.countDown();
      for (Future<byte[]> each : both) {
        assertThat(each.get()).isEmpty();
      }
      assertThat(render()).isEmpty();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
