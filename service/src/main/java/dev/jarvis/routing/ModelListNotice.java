package dev.jarvis.routing;

import dev.jarvis.provider.ModelList;
import java.util.ArrayList;
import java.util.List;

/**
 * What an operator should know about a provider's list of models.
 *
 * @param text one or two sentences
 */
record ModelListNotice(Kind kind, String text) {
  private static final String NAME_THEM =
      " Name the models in the provider's setting 'models' (for example providers.NAME.models).";

  /** What is odd about a list. */
  enum Kind {
    NO_LIST,
    TRUNCATED,
    IGNORED_ENTRIES
  }

  /** Everything that is odd about the list; empty for a usual one. */
  static List<ModelListNotice> of(ModelList list) {
    List<ModelListNotice> notices = new ArrayList<>();
    if (list.problem() != null) {
      notices.add(
          new ModelListNotice(
              Kind.NO_LIST,
              list.source() == ModelList.Source.NONE
                  ? list.problem() + NAME_THEM
                  : list.problem()));
    }
    if (list.truncated()) {
      notices.add(
          new ModelListNotice(
              Kind.TRUNCATED,
              "The server lists %d models; the first %d are used."
                      .formatted(list.total(), list.names().size())
                  + NAME_THEM));
    }
    if (list.ignored() > 0) {
      notices.add(
          new ModelListNotice(
              Kind.IGNORED_ENTRIES,
              "%d entries of the server's list were ignored, because they have no valid name."
                  .formatted(list.ignored())));
    }
    return notices;
  }
}
