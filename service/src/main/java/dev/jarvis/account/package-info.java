/** API keys and who is active. */
@NullMarked
package dev.jarvis.account;

import org.jspecify.annotations.NullMarked;
