/** What can go wrong with a request, whatever the protocol and the dialect that report it. */
@NullMarked
package dev.jarvis.error;

import org.jspecify.annotations.NullMarked;
