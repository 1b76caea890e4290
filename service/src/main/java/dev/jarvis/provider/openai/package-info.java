/** Model servers of OpenAI's dialect. */
@NullMarked
package dev.jarvis.provider.openai;

import org.jspecify.annotations.NullMarked;
