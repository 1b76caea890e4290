/** Models of an Ollama server. */
@NullMarked
package dev.jarvis.provider.ollama;

import org.jspecify.annotations.NullMarked;
