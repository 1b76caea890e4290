/** Model providers behind one interface: model servers, and the model inside this process. */
@NullMarked
package dev.jarvis.provider;

import org.jspecify.annotations.NullMarked;
