package dev.jarvis.provider.ollama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.jarvis.config.Configs;
import dev.jarvis.provider.ModelServerConfig;
import dev.jarvis.routing.Catalogue;
import dev.jarvis.storage.Recorded;
import dev.jarvis.telemetry.Metric;
import dev.jarvis.telemetry.Telemetry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ResidentModelsTest {
  private static final Duration FAST = Duration.ofMillis(50);

  private final FakeOllama ollama = FakeOllama.start();
  private final Set<String> discovered = ConcurrentHashMap.newKeySet();
  private OllamaProvider provider;
  private Telemetry telemetry;
  private Catalogue models;
  private ResidentModels resident;

  @BeforeEach
  void start() {
    ollama.listModels("a:1b", "b:1b");
    telemetry = Recorded.start();
    provider =
        new OllamaProvider(
            Configs.of(ModelServerConfig.class, "ollama", Map.of("url", ollama.uri().toString())),
            telemetry.instruments());
    models = new Catalogue(List.of(provider), FAST);
    models.onDiscovered(it -> discovered.add(it.model()));
    resident =
        new ResidentModels(provider, models::label, discovered, telemetry.instruments(), FAST);
  }

  @AfterEach
  void close() throws Exception {
    resident.close();
    models.close();
    provider.close();
    telemetry.close();
    ollama.close();
  }

  private static Optional<Long> count() {
    return Recorded.value(Metric.OLLAMA_RESIDENT_MODELS, "ollama");
  }

  private static Optional<Long> memory(String model, String kind) {
    return Recorded.value(Metric.OLLAMA_RESIDENT_MODEL_MEMORY, model, "ollama", kind);
  }

  private static void awaitCount(long expected) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(count()).hasValue(expected));
  }

  @Test
  void showsKnownModelsAtZeroFromTheStart() {
    assertThat(count()).hasValue(0L);
    assertThat(memory("a:1b", "ram")).hasValue(0L);
    assertThat(memory("b:1b", "vram")).hasValue(0L);
    assertThat(memory(Catalogue.OTHER, "ram")).isEmpty();
  }

  @Test
  void followsModelsThatAreLoadedAndUnloaded() {
    ollama.listResident(
        """
        {"models":[{"name":"a:1b","size":500,"size_vram":400},{"name":"b:1b","size":7}]}""");
    awaitCount(2);
    assertThat(memory("a:1b", "ram")).hasValue(100L);
    assertThat(memory("a:1b", "vram")).hasValue(400L);
    assertThat(memory("b:1b", "ram")).hasValue(7L);

    ollama.listResident("{\"models\":[{\"name\":\"b:1b\",\"size\":7}]}");
    awaitCount(1);
    assertThat(memory("a:1b", "ram")).hasValue(0L);
    assertThat(memory("a:1b", "vram")).hasValue(0L);
  }

  @Test
  void sumsModelsWithoutALabel() {
    ollama.listResident(
        "{\"models\":["
            + IntStream.range(0, 1500)
                .mapToObj(i -> "{\"name\":\"x%d\",\"size\":%d}".formatted(i, 1L << 50))
                .collect(Collectors.joining(","))
            + "]}");
    awaitCount(1000);

    assertThat(memory(Catalogue.OTHER, "ram")).hasValue(1000L << 50);
    assertThat(memory("x0", "ram")).isEmpty();
  }

  @Test
  void showsZeroIfOllamaDoesNotAnswer() {
    ollama.listResident("{\"models\":[{\"name\":\"a:1b\",\"size\":500}]}");
    awaitCount(1);

    ollama.listResident("{\"models\":\"junk\"}");
    awaitCount(0);
    assertThat(memory("a:1b", "ram")).hasValue(0L);

    ollama.listResident("{\"models\":[{\"name\":\"a:1b\",\"size\":500}]}");
    awaitCount(1);

    ollama.close();
    awaitCount(0);
    assertThat(memory("a:1b", "ram")).hasValue(0L);
  }
}
