package dev.jarvis.storage;

import io.helidon.common.config.Config;
import io.helidon.dbclient.hikari.HikariMetricsRegistry;
import io.helidon.dbclient.hikari.spi.HikariMetricsProvider;
import io.micrometer.core.instrument.Metrics;

/**
 * Gives the connection pool's meters ({@code hikaricp.connections.*}) to Micrometer, whose global
 * registry telemetry reads. Found by {@link java.util.ServiceLoader}, hence public.
 */
public final class PoolMeters implements HikariMetricsProvider {
  @Override
  public String configKey() {
    return "meters";
  }

  @Override
  public HikariMetricsRegistry extension(Config config) {
    return pool -> pool.accept(Metrics.globalRegistry);
  }
}
