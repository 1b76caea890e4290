package dev.jarvis.storage;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import dev.jarvis.config.Secret;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where PostgreSQL is and how long to wait for it. */
public record DatabaseConfig(
    @Doc(
            "jdbc:postgresql://host:port/database or postgresql://user:password@host:port/database. Empty: the embedded server.")
        @Nullable PostgresUrl url,
    @Doc("Takes precedence over a user in the URL.") @Nullable String username,
    @Doc("Takes precedence over a password in the URL.") @Nullable Secret password,
    @Doc("Most connections of this process.") @Default("10") @Range(min = 1, max = 1_000)
        int poolSize,
    @Doc("How long a start waits for PostgreSQL.") @Default("60s") Duration connectTimeout,
    @Doc("How long a statement may take, and how long to wait for a free connection.")
        @Default("5s")
        Duration queryTimeout) {}
