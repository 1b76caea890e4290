package dev.jarvis.document.extract;

/**
 * A part of a document's text.
 *
 * @param page from 1; 0 if the format has no pages
 * @param heading the headings above the text, the outermost first, as {@code Fees › Boats}; empty
 *     if there are none
 */
public record Section(int page, String heading, String text) {}
