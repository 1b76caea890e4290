package dev.jarvis.gateway;

import java.util.List;

/**
 * Runs every call to a model through the stages. Their order is defined once, in {@code Jarvis}.
 * Each call is settled exactly once, however it ends. Thread-safe.
 */
public final class Pipeline {
  private final List<Stage> stages;
  private final Settlement settlement;

  public Pipeline(List<Stage> stages, Settlement settlement) {
    this.stages = List.copyOf(stages);
    this.settlement = settlement;
  }

  /**
   * Runs a call within {@link dev.jarvis.concurrent.Cancellation#current()}, the scope of the
   * client that waits for it.
   *
   * @throws dev.jarvis.error.ApiException if it is refused
   */
  public Answer run(Call call) {
    try {
      return proceed(call, 0);
    } catch (RuntimeException | Error e) {
      call.record().failed(e);
      settlement.settle(call);
      throw e;
    }
  }

  private Answer proceed(Call call, int stage) {
    return stages.get(stage).handle(call, it -> proceed(it, stage + 1));
  }
}
