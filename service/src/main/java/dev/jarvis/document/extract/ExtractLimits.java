package dev.jarvis.document.extract;

import java.time.Duration;

/**
 * What the text of a file may take.
 *
 * @param maxChars most characters of text
 * @param maxPages most pages
 * @param memoryMib heap of the process that reads the file
 * @param timeout its time
 */
public record ExtractLimits(int maxChars, int maxPages, int memoryMib, Duration timeout) {}
