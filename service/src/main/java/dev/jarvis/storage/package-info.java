/** Clients of PostgreSQL, Redis and the object store. */
@NullMarked
package dev.jarvis.storage;

import org.jspecify.annotations.NullMarked;
