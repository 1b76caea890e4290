package dev.jarvis.ledger;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where the ledger's entries wait for PostgreSQL, and how long they are kept. */
public record LedgerConfig(
    @Doc(
            "Folder for the entries that wait for PostgreSQL; each replica needs one of its own that outlives its process. Empty: the folder spool of home.")
        @Nullable Path spool,
    @Doc("Maximum size of that folder in bytes; when it is reached, new calls are refused.")
        @Default("1073741824")
        @Range(min = 16 << 20, max = 1L << 40)
        long spoolMax,
    @Doc(
            "How long entries are kept there after PostgreSQL has them, to be written again after a failover that lost some.")
        @Default("24h")
        Duration spoolKeep,
    @Doc("How many months entries are kept in PostgreSQL. 0: for ever. Their totals always stay.")
        @Default("0")
        @Range(min = 0, max = 1_200)
        int retention) {}
