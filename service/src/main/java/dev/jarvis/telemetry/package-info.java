/** The OpenTelemetry SDK, the catalogue of metrics with its instruments, and log output. */
@NullMarked
package dev.jarvis.telemetry;

import org.jspecify.annotations.NullMarked;
