/** Errors, their mapping to OpenAI's shape, request ids and limits. */
@NullMarked
package dev.jarvis.http;

import org.jspecify.annotations.NullMarked;
