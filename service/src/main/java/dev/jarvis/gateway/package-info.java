/**
 * Calls to models: the pipeline that every call goes through, whatever its dialect, operation and
 * provider, and what is recorded about it.
 */
@NullMarked
package dev.jarvis.gateway;

import org.jspecify.annotations.NullMarked;
