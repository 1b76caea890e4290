/** Stand-ins for PostgreSQL, Redis and S3 that this process runs where none is configured. */
@NullMarked
package dev.jarvis.storage.embedded;

import org.jspecify.annotations.NullMarked;
