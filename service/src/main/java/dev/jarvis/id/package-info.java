/** Identifiers. */
@NullMarked
package dev.jarvis.id;

import org.jspecify.annotations.NullMarked;
