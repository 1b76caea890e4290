package dev.jarvis.gateway;

/** The names of a provider and of a model there. */
public record TargetName(String provider, String model) {
  @Override
  public String toString() {
    return provider + "/" + model;
  }
}
