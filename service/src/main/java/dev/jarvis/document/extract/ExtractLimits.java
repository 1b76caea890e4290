package dev.jarvis.document.extract;

import dev.jarvis.config.Default;
import dev.jarvis.config.Doc;
import dev.jarvis.config.Range;
import java.time.Duration;

/** What the text of a file may take; a separate process reads the file. */
public record ExtractLimits(
    @Doc("Most characters of a file's text.")
        @Default("10000000")
        @Range(min = 1_000, max = 1 << 28)
        int maxChars,
    @Doc("Most pages of a file.") @Default("5000") @Range(min = 1, max = 1_000_000) int maxPages,
    @Doc("Heap in MiB of the process that reads a file.")
        @Default("256")
        @Range(min = 64, max = 65_536)
        int extractMemoryMib,
    @Doc("How long that process may take for a file.") @Default("2m") Duration extractTimeout,
    @Doc(
            "Whether that process gives up its rights before it reads a file: auto, as far as the kernel allows; required, reading nothing where the kernel does not allow all of it; off.")
        @Default("auto")
        SandboxMode sandbox) {}
