/** API keys, their users, and which users are active. */
@NullMarked
package dev.jarvis.identity;

import org.jspecify.annotations.NullMarked;
