package dev.jarvis.gateway;

/** A model at a provider, by their names. */
public record TargetName(String provider, String model) {
  @Override
  public String toString() {
    return provider + "/" + model;
  }
}
