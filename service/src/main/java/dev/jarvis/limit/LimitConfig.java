package dev.jarvis.limit;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Inline;
import dev.jarvis.config.Range;
import dev.jarvis.gateway.ScopedLimits.Scope;
import java.time.Duration;

/** How much may be asked for in a minute, and at once. */
public record LimitConfig(
    @Doc("Limits of each API key, for calls to models; those set for a key apply instead.")
        Calls key,
    @Doc("Limits of each user, over all keys; those set for a user apply instead.") Calls user,
    @Doc("Limits of each team, over all its users; those set for a team apply instead.") Calls team,
    @Doc(
            "Tokens of output that a call reserves until their number is known; less if its max_tokens is less.")
        @Default("256")
        @Range(max = 1_000_000)
        int outputEstimate,
    @Doc(
            "The largest number of replicas. While Redis is unavailable, each replica counts on its own and allows this part of the limits.")
        @Default("1")
        @Range(min = 1, max = 1_000)
        int maxReplicas,
    @Doc("How long a request waits for Redis to count it. After that its replica counts it alone.")
        @Default("250ms")
        Duration redisTimeout,
    @Inline PerRoute routes) {

  /** Limits of calls to models. */
  public record Calls(
      @Doc("Maximum number of calls in any 60 s. 0: no limit.")
          @Default("0")
          @Range(max = 1_000_000_000)
          int requestsPerMinute,
      @Doc("Maximum number of tokens, input and output, in any 60 s. 0: no limit.")
          @Default("0")
          @Range(max = 1_000_000_000)
          int tokensPerMinute,
      @Doc("Maximum number of calls in progress. 0: no limit.")
          @Default("0")
          @Range(max = 1_000_000_000)
          int parallelCalls) {}

  /** Limits of requests that call no model, for each user. */
  public record PerRoute(
      @Doc("Maximum number of searches of a user in any 60 s. 0: no limit.")
          @Default("600")
          @Range(max = 1_000_000_000)
          int searchRequestsPerMinute,
      @Doc("Maximum number of requests of a user to /v1/files in any 60 s. 0: no limit.")
          @Default("3000")
          @Range(max = 1_000_000_000)
          int filesRequestsPerMinute,
      @Doc("Maximum number of explanations of a user in any 60 s. 0: no limit.")
          @Default("600")
          @Range(max = 1_000_000_000)
          int explainRequestsPerMinute,
      @Doc("Maximum number of requests of a user to the admin API in any 60 s. 0: no limit.")
          @Default("600")
          @Range(max = 1_000_000_000)
          int adminRequestsPerMinute) {}

  /** The limits where none are set for the key, user or team itself. */
  Calls of(Scope scope) {
    return switch (scope) {
      case KEY -> key;
      case USER -> user;
      case TEAM -> team;
    };
  }
}
