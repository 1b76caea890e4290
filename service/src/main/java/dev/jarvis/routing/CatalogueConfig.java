package dev.jarvis.routing;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import java.time.Duration;

/** How models are discovered, and how they are asked if no route has their name. */
public record CatalogueConfig(
    @Doc(
            "How often each provider is asked for the list of its models. A provider counts as down if it has not answered for three times this and its list-timeout.")
        @Default("5s")
        Duration refresh,
    @Doc(
            "What happens to a prompt that is longer than the context window of the model that the request names; routes have a setting of their own. "
                + ContextPolicy.DOC)
        @Default(ContextPolicy.DEFAULT)
        ContextPolicy context) {}
