/**
 * The ledger: what each call and its attempts used and cost. An entry goes to the spool first, and
 * from there to the tables {@code ledger_entries} and {@code ledger_attempts}.
 */
@NullMarked
package dev.jarvis.ledger;

import org.jspecify.annotations.NullMarked;
