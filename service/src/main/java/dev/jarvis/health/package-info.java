/** Health of every dependency and the endpoints that tell it. */
@NullMarked
package dev.jarvis.health;

import org.jspecify.annotations.NullMarked;
