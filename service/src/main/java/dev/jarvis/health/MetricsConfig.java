package dev.jarvis.health;

import dev.jarvis.config.Doc;
import dev.jarvis.config.Secret;
import org.jspecify.annotations.Nullable;

/** Who may read metrics and health. */
public record MetricsConfig(
    @Doc("Bearer token that /metrics and /health require. Empty: none.") @Nullable Secret token) {}
