package dev.jarvis.config;

import java.util.List;

/** A configuration that the service cannot start with; lists all of its problems. */
public final class ConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  ConfigException(List<String> problems) {
    super(
        "configuration: %d problem%s%n  - %s"
            .formatted(
                problems.size(),
                problems.size() == 1 ? "" : "s",
                String.join(System.lineSeparator() + "  - ", problems)));
  }
}
