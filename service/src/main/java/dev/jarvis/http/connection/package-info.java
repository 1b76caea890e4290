/**
 * Client connections: framing, a deadline for each read and write, and the detection of
 * disconnects.
 */
@NullMarked
package dev.jarvis.http.connection;

import org.jspecify.annotations.NullMarked;
