/** OpenAI's API as clients speak it: chat completions, embeddings and models. */
@NullMarked
package dev.jarvis.dialect.openai;

import org.jspecify.annotations.NullMarked;
