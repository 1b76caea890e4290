/** Cancellation and time limits, for every other package. */
@NullMarked
package dev.jarvis.concurrent;

import org.jspecify.annotations.NullMarked;
