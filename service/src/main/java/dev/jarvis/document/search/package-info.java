/** Search in the passages of documents, and answers grounded on them. */
@NullMarked
package dev.jarvis.document.search;

import org.jspecify.annotations.NullMarked;
