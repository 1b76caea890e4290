package dev.jarvis.routing;

import dev.jarvis.config.Checked;
import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Problems;
import dev.jarvis.config.Range;
import dev.jarvis.gateway.cache.CachePolicy;
import java.time.Duration;
import java.util.List;

/** A public model name that stands for one or more models. */
public record Route(
    @Doc("The name that clients ask for.") @Range(min = 1, max = MAX_NAME) String name,
    @Doc("How a target is chosen.") @Default("priority") Strategy strategy,
    @Doc(
            "Whether answers are cached in Redis and reused: off, user (for the same user) or shared (for all users).")
        @Default("off")
        CachePolicy.Scope cache,
    @Doc("How long an answer is cached.") @Default("1h") Duration cacheTtl,
    @Doc(
            "What happens to a prompt that is longer than a target's context window. "
                + ContextPolicy.DOC)
        @Default(ContextPolicy.DEFAULT)
        ContextPolicy context,
    @Doc("The models that may answer, at least one.") List<Target> targets)
    implements Checked {

  static final int MAX_NAME = 200;

  public Route {
    targets = List.copyOf(targets);
  }

  @Override
  public void check(Problems problems) {
    if (targets.isEmpty()) {
      problems.add("targets", "must contain at least one target.");
    }
  }

  /** Whether answers are cached, and for whom. */
  CachePolicy cachePolicy() {
    return new CachePolicy(cache, cacheTtl);
  }

  /** A model that may answer. */
  public record Target(
      @Doc("A provider's name.") String provider,
      @Doc("The model's name there.") @Range(min = 1, max = MAX_NAME) String model,
      @Doc("For weighted: its share among all weights.")
          @Default("1")
          @Range(min = 1, max = 1_000_000)
          int weight,
      @Doc(
              "For priority: targets are tried in ascending order, equal ones in the order of the list.")
          @Default("1")
          @Range(min = 1, max = 1_000_000)
          int priority) {}
}
