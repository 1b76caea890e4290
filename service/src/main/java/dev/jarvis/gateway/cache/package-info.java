/**
 * Answers from before, in Redis, and answers that several callers share while they are generated.
 */
@NullMarked
package dev.jarvis.gateway.cache;

import org.jspecify.annotations.NullMarked;
