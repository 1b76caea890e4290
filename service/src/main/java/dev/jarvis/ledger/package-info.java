/** What every LLM request used, one database row each. */
@NullMarked
package dev.jarvis.ledger;

import org.jspecify.annotations.NullMarked;
