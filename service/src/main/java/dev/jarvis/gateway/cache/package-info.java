/** The cache of answers in Redis, and generations that several equal calls share. */
@NullMarked
package dev.jarvis.gateway.cache;

import org.jspecify.annotations.NullMarked;
