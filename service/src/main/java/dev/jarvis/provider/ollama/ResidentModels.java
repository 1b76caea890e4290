package dev.jarvis.provider.ollama;

import dev.jarvis.provider.ProviderException;
import dev.jarvis.telemetry.Instruments;
import dev.jarvis.telemetry.Metric;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gauges of the models in Ollama's memory. Polled in the background, so that a scrape never waits
 * for Ollama; a server that does not answer counts as empty.
 */
final class ResidentModels implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ResidentModels.class);

  /**
   * The interval of metric exports. Not shorter: Ollama iterates over its models without a lock
   * (ollama/ollama#15528), and could crash if one is loaded or unloaded at the same time.
   */
  private static final Duration PERIOD = Duration.ofSeconds(15);

  private final OllamaProvider provider;
  private final UnaryOperator<String> label;
  private final ScheduledThreadPoolExecutor timer;
  private final List<AutoCloseable> gauges;

  /** Labels that were shown: they stay, at 0, because a series that ends keeps its last value. */
  private final Set<String> labels;

  private volatile List<ResidentModel> resident = List.of();
  private boolean answered = true;

  /**
   * Polls at once, and then every 15 seconds.
   *
   * @param label returns the label of a model's name: bounded, unlike the name
   * @param labels labels to show at 0 while their models are not in memory; may grow
   */
  ResidentModels(
      OllamaProvider provider,
      UnaryOperator<String> label,
      Set<String> labels,
      Instruments instruments) {
    this(provider, label, labels, instruments, PERIOD);
  }

  ResidentModels(
      OllamaProvider provider,
      UnaryOperator<String> label,
      Set<String> labels,
      Instruments instruments,
      Duration period) {
    this.provider = provider;
    this.label = label;
    this.labels = labels;
    gauges =
        List.of(
            instruments.gauges(
                Metric.OLLAMA_RESIDENT_MODELS,
                () -> Map.of(provider.name(), (long) resident.size())),
            instruments.gaugesByLabels(Metric.OLLAMA_RESIDENT_MODEL_MEMORY, this::memory));
    timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("resident-models").factory());
    var _ = timer.scheduleWithFixedDelay(this::poll, 0, period.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() throws Exception {
    timer.shutdownNow();
    for (AutoCloseable gauge : gauges) {
      gauge.close();
    }
  }

  private void poll() {
    try {
      resident = provider.resident();
      answered = true;
    } catch (ProviderException | RuntimeException e) {
      resident = List.of();
      if (answered && !timer.isShutdown()) { // logs changes only
        LOG.atInfo()
            .addKeyValue("reason", e.getMessage())
            .log("the models in Ollama's memory cannot be listed");
      }
      answered = false;
    }
  }

  private Map<List<String>, Long> memory() {
    Map<List<String>, Long> bytes = new HashMap<>();
    for (ResidentModel it : resident) {
      String model = label.apply(it.name());
      labels.add(model);
      bytes.merge(labels(model, "ram"), it.ramBytes(), Long::sum);
      bytes.merge(labels(model, "vram"), it.vramBytes(), Long::sum);
    }
    for (String model : labels) {
      bytes.putIfAbsent(labels(model, "ram"), 0L);
      bytes.putIfAbsent(labels(model, "vram"), 0L);
    }
    return bytes;
  }

  private List<String> labels(String model, String kind) {
    return List.of(model, provider.name(), kind);
  }
}
