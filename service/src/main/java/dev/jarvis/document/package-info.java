/** Users' files: upload, the queue of documents to process, and the workers that process them. */
@NullMarked
package dev.jarvis.document;

import org.jspecify.annotations.NullMarked;
