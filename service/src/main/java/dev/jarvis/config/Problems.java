package dev.jarvis.config;

/** Collects what is wrong with the configuration. */
@FunctionalInterface
public interface Problems {
  /**
   * Adds a problem.
   *
   * @param key relative to the record that is checked
   * @param complaint a phrase that follows the value, such as {@code must be below x.}
   */
  void add(String key, String complaint);
}
