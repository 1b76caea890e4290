package dev.jarvis.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/**
 * The calls that reached a model, as the replicas' metrics and the ledger count them.
 *
 * @param metric of both replicas
 */
record Counted(long metric, long entries) {
  static Counted now(Cluster cluster) {
    double metric = 0;
    for (Replica replica : List.of(cluster.first(), cluster.second())) {
      metric +=
          cluster.metric(
              replica,
              it -> it.startsWith("llm_requests_total{") && !it.contains("provider=\"_none\""));
    }
    return new Counted(
        Math.round(metric), Books.read(cluster.postgres().primary()).entries().size());
  }

  /** Both must have counted the same since; the replicas must have lived on. */
  void assertGrownAlike(Cluster cluster) {
    Counted now = now(cluster);
    assertThat(now.metric - metric)
        .as("llm_requests_total, and new entries of the ledger")
        .isEqualTo(now.entries - entries);
  }
}
