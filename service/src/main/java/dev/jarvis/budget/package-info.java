/**
 * Budgets: what calls may cost in a day, in a month or at all. Calls reserve before they reach a
 * model, and are settled by what they cost.
 */
@NullMarked
package dev.jarvis.budget;

import org.jspecify.annotations.NullMarked;
