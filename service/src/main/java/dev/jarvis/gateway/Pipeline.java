package dev.jarvis.gateway;

import java.util.List;

/**
 * The way of every call to a model. The order of the stages is written once, where the service is
 * wired. However a call ends, it is settled exactly once. Thread-safe.
 */
public final class Pipeline {
  private final List<Stage> stages;
  private final Settlement settlement;

  public Pipeline(List<Stage> stages, Settlement settlement) {
    this.stages = List.copyOf(stages);
    this.settlement = settlement;
  }

  /**
   * Runs a call within {@link dev.jarvis.concurrent.Cancellation#current()}, the scope of whoever
   * waits for it.
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
