/** Limits how many requests are processed at once, fairly between users. */
@NullMarked
package dev.jarvis.limit;

import org.jspecify.annotations.NullMarked;
