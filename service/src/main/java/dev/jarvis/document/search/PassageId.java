package dev.jarvis.document.search;

import java.util.UUID;

/**
 * Identifies a passage.
 *
 * @param ordinal its position in the document, from 0
 */
record PassageId(UUID documentId, int ordinal) {}
