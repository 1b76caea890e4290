/** JARVIS: start, configuration and wiring. */
@NullMarked
package dev.jarvis;

import org.jspecify.annotations.NullMarked;
