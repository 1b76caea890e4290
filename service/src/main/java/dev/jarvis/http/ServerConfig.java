package dev.jarvis.http;

import dev.jarvis.config.AddressBlock;
import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Range;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the server listens and what it accepts. */
public record ServerConfig(
    @Doc("Address to listen on.") @Default("127.0.0.1") String host,
    @Doc("Port to listen on; 0 for any free one.") @Default("8000") @Range(max = 65_535) int port,
    @Doc(
            "host:port by which Prometheus scrapes this replica, the default of service.instance.id. Empty: host:port.")
        @Nullable String instance,
    @Inline Bodies bodies,
    @Doc(
            "Maximum number of connections; further ones wait until others end. Each needs an open file: stay below the process's limit of them.")
        @Default("4096")
        @Range(min = 1, max = 1_000_000)
        int maxConnections,
    @Inline Timeouts timeouts,
    @Doc(
            "Proxies in front, as comma-separated addresses or CIDR blocks (10.0.0.0/8,::1). The client's address is taken from Forwarded or X-Forwarded-For only if one of them sent it. They must append to the header that they use, or set it, and never pass on a client's header unchanged.")
        List<AddressBlock> trustedProxies,
    @Doc("Web pages that use the API.") CorsConfig cors) {

  /** The instance, which is host and port where none is configured. */
  public String instanceName() {
    return instance == null ? host + ":" + port : instance;
  }

  /** The bodies of requests in JSON. */
  public record Bodies(
      @Doc("Maximum size of a JSON body in bytes.")
          @Default("4194304")
          @Range(min = 1_024, max = 1 << 30)
          int maxBodyBytes,
      @Doc(
              "Bytes of memory for all requests in progress, at most half of them for one user: JSON bodies, whole answers and vectors. A body counts with the memory of its parsed values, 2 to 66 times its size. Requests beyond the budget get 503 and Retry-After. 0: a quarter of the JVM's maximum heap.")
          @Default("0")
          @Range
          long bodyBudget,
      @Doc("Maximum nesting of a JSON body.") @Default("64") @Range(min = 4, max = 1_000)
          int maxJsonDepth)
      implements Checked {

    /** A body of plain text must fit into one user's half of the budget, as bytes and as a tree. */
    private static final long LEAST_BUDGET_IN_BODIES = 8;

    @Override
    public void check(Problems problems) {
      long least = LEAST_BUDGET_IN_BODIES * maxBodyBytes;
      if (bodyBudget != 0 && bodyBudget < least) {
        problems.add(
            "body-budget",
            "must be at least %d, 8 times server.max-body-bytes, or 0 for a quarter of the heap."
                .formatted(least));
      }
    }
  }

  /** How long connections may take. */
  public record Timeouts(
      @Doc(
              "How long a connection may stay open without a request; up to a quarter longer, because it is checked four times in that period.")
          @Default("5m")
          Duration idleTimeout,
      @Doc(
              "How long a request's head may take from its first byte on. A slower one gets 408, and its connection is closed.")
          @Default("10s")
          Duration headTimeout,
      @Doc(
              "How long a request's body may take after its head. A slower one gets 408, and its connection is closed.")
          @Default("30s")
          Duration bodyTimeout,
      @Doc(
              "How long a client may block the writes of a response before it counts as disconnected. Each 16 KiB that the client accepts extends this by a second.")
          @Default("30s")
          Duration writeTimeout,
      @Doc("How long requests in progress may take to finish after SIGTERM.") @Default("8s")
          Duration shutdownGrace) {}
}
