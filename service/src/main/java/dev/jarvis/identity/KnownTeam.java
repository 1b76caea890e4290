package dev.jarvis.identity;

import dev.jarvis.gateway.RateLimits;

/** A team as the database has it. */
record KnownTeam(String id, RateLimits limits, boolean blocked) {}
