package dev.jarvis.routing;

import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import dev.jarvis.gateway.TargetName;

/** The context window of a model whose server does not report it. */
public record ContextWindowConfig(
    @Doc("A provider's name.") String provider,
    @Doc("The model's name there.") @Range(min = 1, max = Route.MAX_NAME) String model,
    @Doc("The maximum number of tokens of question and answer together.")
        @Range(min = 1, max = Integer.MAX_VALUE)
        int tokens) {

  TargetName target() {
    return new TargetName(provider, model);
  }
}
