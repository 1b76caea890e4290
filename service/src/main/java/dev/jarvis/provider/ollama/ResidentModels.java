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
 * What Ollama holds in memory, as gauges. Asked for in the background, so that no reader of metrics
 * waits for Ollama; one that does not answer holds nothing.
 */
final class ResidentModels implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ResidentModels.class);

  /**
   * As often as metrics leave. Not more often: Ollama walks through its models unguarded (its pull
   * request 15528), and could break if one comes or goes in that very moment.
   */
  private static final Duration PERIOD = Duration.ofSeconds(15);

  private final OllamaProvider provider;
  private final UnaryOperator<String> label;
  private final ScheduledThreadPoolExecutor timer;
  private final List<AutoCloseable> gauges;

  /** Labels that have shown: they go on at 0, for a series that ends keeps its last value. */
  private final Set<String> labels;

  private volatile List<ResidentModel> resident = List.of();
  private boolean answered = true;

  /**
   * Asks at once, and then every 15 seconds.
   *
   * @param label the bounded label of a model's name
   * @param labels those that show at 0 while Ollama does not hold the model; may grow
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
    var _ = timer.scheduleWithFixedDelay(this::ask, 0, period.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() throws Exception {
    timer.shutdownNow();
    for (AutoCloseable gauge : gauges) {
      gauge.close();
    }
  }

  private void ask() {
    try {
      resident = provider.resident();
      answered = true;
    } catch (ProviderException | RuntimeException e) {
      resident = List.of();
      if (answered && !timer.isShutdown()) { // changes only; that Ollama is down is told elsewhere
        LOG.atInfo()
            .addKeyValue("reason", e.getMessage())
            .log("Ollama does not tell which models it holds in memory");
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
