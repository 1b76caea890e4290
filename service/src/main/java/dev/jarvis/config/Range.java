package dev.jarvis.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The bounds, both inclusive, of a number, or of the length of a text or secret. A duration is
 * always between 1 ms and 30 days; a minimum of 0 also allows 0.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Range {
  long min() default 0;

  long max() default Long.MAX_VALUE;
}
