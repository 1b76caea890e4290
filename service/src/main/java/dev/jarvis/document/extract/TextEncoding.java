package dev.jarvis.document.extract;

/**
 * How the bytes of a text file were read.
 *
 * @param charset its name in IANA's registry
 * @param certain false if it is a guess
 */
public record TextEncoding(String charset, boolean certain) {}
