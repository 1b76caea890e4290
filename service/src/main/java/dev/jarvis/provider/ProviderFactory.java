package dev.jarvis.provider;

import dev.jarvis.telemetry.Instruments;

/** Creates the providers of one type: a value of {@code providers.X.type}. */
public interface ProviderFactory {
  /** The type's name in the configuration. */
  String type();

  /**
   * Creates a provider; sends nothing to the server yet.
   *
   * @param instruments for the provider's own metrics
   */
  Provider open(ModelServerConfig config, Instruments instruments);
}
