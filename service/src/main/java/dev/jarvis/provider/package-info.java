/** Providers: model servers, and the model inside this process, behind one interface. */
@NullMarked
package dev.jarvis.provider;

import org.jspecify.annotations.NullMarked;
