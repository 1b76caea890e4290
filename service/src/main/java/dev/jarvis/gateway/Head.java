package dev.jarvis.gateway;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known of an answer before its first event.
 *
 * @param route the model name in the request
 * @param target the model that answers
 * @param ignored fields of the request that the provider does not support
 * @param cache the result of the cache lookup: {@code hit}, {@code miss} or {@code bypass}; null if
 *     the route has no cache
 */
public record Head(String route, TargetName target, List<String> ignored, @Nullable String cache) {

  public Head withCache(@Nullable String result) {
    return new Head(route, target, ignored, result);
  }
}
