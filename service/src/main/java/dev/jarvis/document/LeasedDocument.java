package dev.jarvis.document;

import java.util.UUID;

/**
 * A document that a worker has claimed.
 *
 * @param lease a token: the document is the worker's for as long as its row has the same one
 */
record LeasedDocument(Document document, UUID lease) {}
