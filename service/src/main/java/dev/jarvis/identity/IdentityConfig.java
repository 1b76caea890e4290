package dev.jarvis.identity;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import java.time.Duration;

/** How clients are authenticated. */
public record IdentityConfig(
    @Doc(
            "How many keys, and how many users, each replica keeps in memory. A key that is not among them is looked up in PostgreSQL.")
        @Default("10000")
        @Range(min = 1, max = 1_000_000)
        int maxKnownKeys,
    @Doc(
            "How long the keys in memory stay valid while PostgreSQL is unavailable. Afterwards, every request with a key is refused with 503.")
        @Default("1h")
        Duration staleFor,
    @Doc(
            "How many failed attempts to authenticate one address has a minute, on each replica. Beyond it, keys that are not in memory are refused with 429. IPv6 addresses count by their first 64 bits.")
        @Default("20")
        @Range(min = 1, max = 10_000)
        int maxFailuresPerMinute) {}
