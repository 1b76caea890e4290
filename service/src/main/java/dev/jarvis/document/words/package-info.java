/**
 * What a text's words are: Unicode, segmentation and languages. It knows no documents and no
 * database.
 */
@NullMarked
package dev.jarvis.document.words;

import org.jspecify.annotations.NullMarked;
