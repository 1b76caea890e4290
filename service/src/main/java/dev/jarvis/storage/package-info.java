/** Clients of the database, Redis and the object store, and their embedded stand-ins. */
@NullMarked
package dev.jarvis.storage;

import org.jspecify.annotations.NullMarked;
