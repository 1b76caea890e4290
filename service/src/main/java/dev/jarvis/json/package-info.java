/** How the service sets Jackson up. */
@NullMarked
package dev.jarvis.json;

import org.jspecify.annotations.NullMarked;
