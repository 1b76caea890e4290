package dev.jarvis.document.extract;

/**
 * A part of a document's text.
 *
 * @param page from 1; 0 if the format has no pages
 */
public record Section(int page, String text) {}
