/** A process that gives up its rights before it runs a program: the sandbox of the parsers. */
@NullMarked
package dev.jarvis.document.sandbox;

import org.jspecify.annotations.NullMarked;
