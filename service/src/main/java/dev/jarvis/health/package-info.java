/** The health of the dependencies, the endpoints that report it, and {@code /metrics}. */
@NullMarked
package dev.jarvis.health;

import org.jspecify.annotations.NullMarked;
