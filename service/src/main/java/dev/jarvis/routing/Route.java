package dev.jarvis.routing;

import dev.jarvis.gateway.cache.CachePolicy;
import java.util.List;

/**
 * A public model name that stands for one or more models.
 *
 * @param name the model name in requests
 * @param targets at least one
 * @param cache whether answers are cached, and for whom
 */
public record Route(String name, Strategy strategy, List<Target> targets, CachePolicy cache) {

  public Route {
    targets = List.copyOf(targets);
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("route '" + name + "' has no target");
    }
  }

  /**
   * A model that may answer.
   *
   * @param provider a provider's name
   * @param model the model's name there
   * @param weight its share of the sum of all weights, at least 1
   * @param priority the lowest is asked first; equal ones in the order of the route
   */
  public record Target(String provider, String model, int weight, int priority) {}
}
