package dev.jarvis.gateway;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known of an answer before its first event.
 *
 * @param route the name that was asked for
 * @param target who answers
 * @param ignored fields of the request that the provider does not know
 * @param cache what the cache had: {@code hit}, {@code miss}, {@code bypass}; null where the route
 *     has none
 */
public record Head(String route, TargetName target, List<String> ignored, @Nullable String cache) {

  public Head withCache(@Nullable String result) {
    return new Head(route, target, ignored, result);
  }
}
