package dev.jarvis.gateway;

import java.util.Locale;

/** The kind of a call. */
public enum Operation {
  CHAT,
  EMBEDDINGS;

  /** The name in telemetry and the ledger: OpenTelemetry's {@code gen_ai.operation.name}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
