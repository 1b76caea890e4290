package dev.jarvis.routing;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import java.time.Duration;

/** How models are discovered. */
public record CatalogueConfig(
    @Doc(
            "How often each provider is asked for the list of its models. One that has not answered for three times as long and its list-timeout is down.")
        @Default("5s")
        Duration refresh) {}
