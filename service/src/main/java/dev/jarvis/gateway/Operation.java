package dev.jarvis.gateway;

import java.util.Locale;

/** What a model is asked for. */
public enum Operation {
  CHAT,
  EMBEDDINGS;

  /** As telemetry and the ledger name it, after OpenTelemetry's {@code gen_ai.operation.name}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
