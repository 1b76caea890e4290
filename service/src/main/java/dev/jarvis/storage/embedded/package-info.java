/** PostgreSQL, Redis and an object store that JARVIS runs itself where none is configured. */
@NullMarked
package dev.jarvis.storage.embedded;

import org.jspecify.annotations.NullMarked;
