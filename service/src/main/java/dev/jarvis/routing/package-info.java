/**
 * The catalogue of models, and which target answers a call: routes, strategies, circuit breakers,
 * prices, attempts.
 */
@NullMarked
package dev.jarvis.routing;

import org.jspecify.annotations.NullMarked;
