package dev.jarvis.config;

/** A value that is never printed. */
@Allowed(value = "a secret", sensitive = true)
public record Secret(String value) {
  /** The secret that the text is. */
  public static Secret parse(String text) {
    return new Secret(text);
  }

  /** Without the value. */
  @Override
  public String toString() {
    return "***";
  }
}
