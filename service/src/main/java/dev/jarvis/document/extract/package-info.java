/** Extraction of text from files, in a child process with limited time and memory. */
@NullMarked
package dev.jarvis.document.extract;

import org.jspecify.annotations.NullMarked;
