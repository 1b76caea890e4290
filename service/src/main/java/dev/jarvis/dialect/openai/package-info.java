/** The OpenAI API for clients: chat completions, embeddings and models. */
@NullMarked
package dev.jarvis.dialect.openai;

import org.jspecify.annotations.NullMarked;
