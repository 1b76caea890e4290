/**
 * The catalogue of models, and which targets are asked to answer a call: routes, strategies,
 * circuit breakers, attempts.
 */
@NullMarked
package dev.jarvis.routing;

import org.jspecify.annotations.NullMarked;
