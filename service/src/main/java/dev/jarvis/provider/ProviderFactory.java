package dev.jarvis.provider;

import dev.jarvis.telemetry.Instruments;

/** A kind of model server: what {@code providers.X.type} may name. */
public interface ProviderFactory {
  /** Its name in the configuration. */
  String type();

  /**
   * Opens a provider; does not ask the server for anything yet.
   *
   * @param instruments for what the provider measures of its own
   */
  Provider open(ModelServerConfig config, Instruments instruments);
}
