package dev.jarvis.http;

/** Who may use an endpoint. */
public enum Access {
  ANYBODY,
  /** A client with a key, or a token of an OIDC issuer. */
  KEY,
  /** A client with a key or token of an administrator. */
  ADMIN,
  /** A client with the metrics token where one is configured, anybody otherwise. */
  METRICS_TOKEN
}
