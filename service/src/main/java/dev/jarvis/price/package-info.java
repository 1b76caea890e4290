/** What models cost: configured and imported prices, each in force from a time on. */
@NullMarked
package dev.jarvis.price;

import org.jspecify.annotations.NullMarked;
