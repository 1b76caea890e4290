/** Text of files, read by a child process that is bounded in time and memory. */
@NullMarked
package dev.jarvis.document.extract;

import org.jspecify.annotations.NullMarked;
