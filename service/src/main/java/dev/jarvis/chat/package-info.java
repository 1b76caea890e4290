/** OpenAI's routes: chat completions and models. */
@NullMarked
package dev.jarvis.chat;

import org.jspecify.annotations.NullMarked;
