package dev.jarvis.document;

import java.util.UUID;

/**
 * A passage that a search found.
 *
 * @param chunk its place in the document, from 0
 * @param page from 1; 0 where the format has none
 * @param tokens by the rule of thumb
 * @param score 1 for what every ranking put first; comparable within one search only
 * @param trace {@code traceparent} of the processing that made it
 */
record Passage(
    UUID documentId,
    String filename,
    int chunk,
    int page,
    String text,
    int tokens,
    double score,
    String trace) {}
