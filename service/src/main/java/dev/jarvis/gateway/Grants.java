package dev.jarvis.gateway;

import java.util.Set;
import java.util.function.Predicate;

/**
 * What the holder of a key may use.
 *
 * @param models the names of models and routes; a name that ends with {@code *} stands for all that
 *     begin alike; empty for every model
 * @param permissions empty for every operation
 */
public record Grants(Set<String> models, Set<Permission> permissions) {
  public static final Grants ALL = new Grants(Set.of(), Set.of());

  public Grants {
    models = Set.copyOf(models);
    permissions = Set.copyOf(permissions);
  }

  /** Whether a model or route may be used under the given name. */
  public boolean allowsModel(String name) {
    return models.isEmpty() || models.contains(name) || models.stream().anyMatch(covers(name));
  }

  public boolean allows(Permission permission) {
    return permissions.isEmpty() || permissions.contains(permission);
  }

  private static Predicate<String> covers(String name) {
    return it -> it.endsWith("*") && name.startsWith(it.substring(0, it.length() - 1));
  }
}
