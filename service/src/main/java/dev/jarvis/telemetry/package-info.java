/** OpenTelemetry set-up, instruments, /metrics, the request filter and log export. */
@NullMarked
package dev.jarvis.telemetry;

import org.jspecify.annotations.NullMarked;
