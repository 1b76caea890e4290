package dev.jarvis.config;

import java.util.Map;

/** Configuration records for tests: what a test does not name has its default. */
public final class Configs {
  private static final Binder BINDER = new Binder(Map.of());

  private Configs() {}

  /**
   * A record with some values.
   *
   * @param values by key, as in the record's section of application.yaml
   */
  public static <R extends Record> R of(Class<R> type, Map<String, String> values) {
    return of(type, "test", values);
  }

  /** The record of the entry of that name. */
  public static <R extends Record> R of(Class<R> type, String name, Map<String, String> values) {
    try {
      return BINDER.bind(type, name, values);
    } catch (ConfigException e) {
      throw new AssertionError(e);
    }
  }
}
