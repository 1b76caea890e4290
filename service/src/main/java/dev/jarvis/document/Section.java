package dev.jarvis.document;

/**
 * A part of a document's text.
 *
 * @param page from 1; 0 where the format has none
 */
record Section(int page, String text) {}
