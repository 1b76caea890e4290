package dev.jarvis.document.extract;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The text of a file.
 *
 * @param encoding null if the format defines it
 */
public record Extraction(List<Section> sections, @Nullable TextEncoding encoding) {}
