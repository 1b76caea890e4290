/** The errors of requests, independent of protocol and dialect. */
@NullMarked
package dev.jarvis.error;

import org.jspecify.annotations.NullMarked;
