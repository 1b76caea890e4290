package dev.jarvis.document.extract;

/**
 * A part of a document's text.
 *
 * @param page from 1; 0 where the format has none
 */
public record Section(int page, String text) {}
