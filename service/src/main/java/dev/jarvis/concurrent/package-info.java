/** Cancellation and time limits. */
@NullMarked
package dev.jarvis.concurrent;

import org.jspecify.annotations.NullMarked;
