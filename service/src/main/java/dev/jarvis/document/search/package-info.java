/** Search in the passages of documents, and grounding of answers on them. */
@NullMarked
package dev.jarvis.document.search;

import org.jspecify.annotations.NullMarked;
