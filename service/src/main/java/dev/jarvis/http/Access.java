package dev.jarvis.http;

/** Who may use an endpoint. */
public enum Access {
  ANYBODY,
  /** A client with a known API key. */
  KEY,
  /** A client with an API key of the administrator. */
  ADMIN,
  /** A client with the metrics token where one is configured, anybody otherwise. */
  METRICS_TOKEN
}
