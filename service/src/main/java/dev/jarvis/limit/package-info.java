/** What bounds the work that is done at once, fairly between users. */
@NullMarked
package dev.jarvis.limit;

import org.jspecify.annotations.NullMarked;
