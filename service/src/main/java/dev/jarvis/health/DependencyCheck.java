package dev.jarvis.health;

import dev.jarvis.error.OutOfMemory;
import io.helidon.health.HealthCheck;
import io.helidon.health.HealthCheckResponse;

/**
 * A dependency's health: up unless asking it throws.
 *
 * @param name as {@code /health} shows it
 * @param ping asks the dependency; may take long, {@link Health} limits it
 */
public record DependencyCheck(String name, Ping ping) implements HealthCheck {
  /** Asks a dependency for a sign of life. */
  @FunctionalInterface
  public interface Ping {
    /** Returns if the dependency answers. */
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
