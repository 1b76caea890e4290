/** A model inside this process, run by llama.cpp. */
@NullMarked
package dev.jarvis.provider.local;

import org.jspecify.annotations.NullMarked;
