package dev.jarvis.health;

import dev.jarvis.error.OutOfMemory;
import io.helidon.health.HealthCheck;
import io.helidon.health.HealthCheckResponse;

/**
 * A health check of a dependency, which is up unless its ping throws.
 *
 * @param name the name in {@code /health}
 * @param ping may take long, because {@link Health} limits its time
 */
public record DependencyCheck(String name, Ping ping) implements HealthCheck {
  /** A request to a dependency that shows whether it answers. */
  @FunctionalInterface
  public interface Ping {
    /** Returns if the dependency answers, otherwise throws. */
    void send() throws Exception;
  }

  @Override
  public HealthCheckResponse call() {
    try {
      ping.send();
      return HealthCheckResponse.builder().status(HealthCheckResponse.Status.UP).build();
    } catch (Exception e) {
      OutOfMemory.endProcessIf(e);
      return HealthCheckResponse.builder()
          .status(HealthCheckResponse.Status.ERROR)
          .detail("error", String.valueOf(e.getMessage()))
          .build();
    }
  }
}
