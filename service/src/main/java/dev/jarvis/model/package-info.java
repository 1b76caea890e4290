/** Model providers: who answers, behind one interface. */
@NullMarked
package dev.jarvis.model;

import org.jspecify.annotations.NullMarked;
