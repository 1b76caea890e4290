/**
 * Reads the configuration and binds it to records: each feature declares its keys, defaults, bounds
 * and documentation as the components of a record of its own.
 */
@NullMarked
package dev.jarvis.config;

import org.jspecify.annotations.NullMarked;
