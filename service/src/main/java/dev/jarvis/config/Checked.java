package dev.jarvis.config;

/** A record of the configuration whose values must fit each other. */
public interface Checked {
  /** Reports what does not fit. Called only if no required value of the record is missing. */
  void check(Problems problems);
}
