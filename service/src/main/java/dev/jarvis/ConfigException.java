package dev.jarvis;

import java.util.List;

/** A configuration that cannot be started with: all its problems at once. */
final class ConfigException extends Exception {
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
