/**
 * The spool: an append-only journal on the local disk of what happens to calls, so that nothing of
 * the ledger lives only in memory. Knows bytes and ids, not their meaning.
 */
@NullMarked
package dev.jarvis.ledger.spool;

import org.jspecify.annotations.NullMarked;
