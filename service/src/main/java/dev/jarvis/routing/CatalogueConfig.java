package dev.jarvis.routing;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import java.time.Duration;

/** How models are discovered. */
public record CatalogueConfig(
    @Doc(
            "How often each provider is asked for the list of its models. A provider counts as down if it has not answered for three times this and its list-timeout.")
        @Default("5s")
        Duration refresh) {}
