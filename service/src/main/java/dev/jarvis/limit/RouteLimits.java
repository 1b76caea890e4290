package dev.jarvis.limit;

import dev.jarvis.limit.Counter.Kind;
import dev.jarvis.telemetry.Instruments;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Refuses requests of a user that call no model beyond the limit of their group of routes. */
public final class RouteLimits {
  private final Counters counters;
  private final Refusals refusals;
  private final Map<String, Group> groups;

  /**
   * A group of routes that share a limit.
   *
   * @param request what one of its requests is called in error messages
   * @param requests what more of them are called
   * @param limit 0 for none
   */
  record Group(String request, String requests, int limit) {
    String requests(long number) {
      return number == 1 ? request : requests;
    }
  }

  public RouteLimits(LimitConfig.PerRoute config, Counters counters, Instruments instruments) {
    this.counters = counters;
    this.refusals = new Refusals(instruments);
    this.groups =
        Map.of(
            "search", new Group("search", "searches", config.searchRequestsPerMinute()),
            "files",
                new Group(
                    "request to /v1/files",
                    "requests to /v1/files",
                    config.filesRequestsPerMinute()),
            "explain", new Group("explanation", "explanations", config.explainRequestsPerMinute()),
            "admin",
                new Group(
                    "request to the admin API",
                    "requests to the admin API",
                    config.adminRequestsPerMinute()));
  }

  /**
   * Counts a request.
   *
   * @param group search, files, explain or admin
   * @throws dev.jarvis.error.ApiException.RateLimited if it is beyond the limit
   */
  public void check(String group, String userId) {
    Group limited = Objects.requireNonNull(groups.get(group), group);
    if (limited.limit() == 0) {
      return;
    }
    Demand demand = new Demand(new Counter(Kind.REQUESTS, group, userId), 1, limited.limit());
    Counters.Result result = counters.take("", List.of(demand));
    if (!result.verdict().granted()) {
      throw refusals.refuse(result, limited, demand);
    }
  }
}
