/** API keys and the users they belong to. */
@NullMarked
package dev.jarvis.identity;

import org.jspecify.annotations.NullMarked;
