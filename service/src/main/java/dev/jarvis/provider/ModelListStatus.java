package dev.jarvis.provider;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the status of a response to a request for the list of models says about the server. */
final class ModelListStatus {
  private static final Set<Integer> NO_LIST = Set.of(204, 404, 405, 410, 501);

  /** A proxy answers, and the model server behind it does not. */
  private static final Set<Integer> NO_SERVER = Set.of(502, 503, 504);

  private ModelListStatus() {}

  /**
   * The models of a server that sends no list; empty if it is down or rejects the API key.
   *
   * @param configured the models that the configuration names
   */
  static Optional<ModelList> of(int status, List<String> configured) {
    if (status == 401 || NO_SERVER.contains(status)) {
      return Optional.empty();
    }
    if (!configured.isEmpty()) {
      // a key may be valid for chats alone, as OpenAI's restricted keys
      return Optional.of(
          status == 403
              ? ModelList.configured(
                  configured, "The server refuses to list its models (status 403).")
              : ModelList.configured(configured));
    }
    return NO_LIST.contains(status)
        ? Optional.of(ModelList.none("The server lists no models (status %d).".formatted(status)))
        : Optional.empty();
  }
}
