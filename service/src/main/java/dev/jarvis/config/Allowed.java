package dev.jarvis.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A type whose values are read from text by its method {@code static T parse(String)}, which throws
 * {@link IllegalArgumentException} if the text is not valid.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Allowed {
  /** What is valid, as it follows "must be". */
  String value();

  /** Whether the text may contain a secret, so that error messages must not repeat it. */
  boolean sensitive() default false;
}
