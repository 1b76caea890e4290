package dev.jarvis.routing;

import dev.jarvis.gateway.cache.CachePolicy;
import java.util.List;

/**
 * A public model name that stands for one or more models.
 *
 * @param name what clients ask for
 * @param targets at least one
 * @param cache who gets an answer that was given before
 */
public record Route(String name, Strategy strategy, List<Target> targets, CachePolicy cache) {

  public Route {
    targets = List.copyOf(targets);
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("a route has at least one target: " + name);
    }
  }

  /**
   * A model that may answer.
   *
   * @param provider a provider's name
   * @param model the model's name there
   * @param weight its share among all weights, at least 1
   * @param priority the lowest is asked first; equal ones in their order
   */
  public record Target(String provider, String model, int weight, int priority) {}
}
