/** JSON with Jackson. */
@NullMarked
package dev.jarvis.json;

import org.jspecify.annotations.NullMarked;
