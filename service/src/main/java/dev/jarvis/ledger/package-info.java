/** The ledger: what each attempt of a call used and cost, as rows of {@code llm_requests}. */
@NullMarked
package dev.jarvis.ledger;

import org.jspecify.annotations.NullMarked;
