package dev.jarvis.routing;

import dev.jarvis.provider.ModelList;
import dev.jarvis.provider.Provider;
import dev.jarvis.provider.ProviderException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the last listing of a provider's models showed.
 *
 * @param failure why the provider counts as down; null if it is up
 * @param since when it was first seen in this state; null before the first listing has ended
 * @param checked when the last listing ended; null before the first
 * @param took how long the last listing took; null before the first
 * @param models the models that are known
 */
public record ProviderState(
    Provider provider,
    @Nullable ProviderException failure,
    @Nullable Instant since,
    @Nullable Instant checked,
    @Nullable Duration took,
    ModelList models) {

  public boolean up() {
    return failure == null;
  }

  /**
   * Why the provider counts as down, without keys and addresses; null if it is up. The kind of the
   * exception tells a refused connection from an unknown host.
   */
  public @Nullable String reason() {
    if (failure == null) {
      return null;
    }
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String message = String.valueOf(failure.getMessage());
    boolean telling = root != failure && root.getClass() != IOException.class;
    return telling ? message + " (" + root.getClass().getSimpleName() + ")" : message;
  }

  /** What an operator should know about the list of models, one text each. */
  public List<String> notices() {
    return ModelListNotice.of(models).stream().map(ModelListNotice::text).toList();
  }
}
