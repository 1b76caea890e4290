/** Users' documents: upload, the queue, text, passages, search and what answers are grounded on. */
@NullMarked
package dev.jarvis.document;

import org.jspecify.annotations.NullMarked;
