package dev.jarvis.document.search;

import dev.jarvis.storage.Sql;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The documents that a search looks into: those of one user that can be searched, or some of them.
 *
 * @param documents empty for all
 * @param filter what their attributes must be
 */
record SearchedFiles(String user, List<UUID> documents, Filter filter) {

  /** All documents of a user. */
  static SearchedFiles of(String user) {
    return new SearchedFiles(user, List.of(), Filter.NONE);
  }

  /** The condition on the table {@code documents d}, of which {@link #parameters} are those. */
  String condition() {
    return "d.user_id = ? AND d.state = 'done'"
        + (documents.isEmpty() ? "" : " AND d.id = ANY (CAST(? AS uuid[]))")
        + " AND "
        + filter.sql();
  }

  List<Object> parameters() {
    List<Object> parameters = new ArrayList<>();
    parameters.add(user);
    if (!documents.isEmpty()) {
      parameters.add(Sql.array(documents));
    }
    parameters.addAll(filter.parameters());
    return parameters;
  }

  /** These and further parameters of a statement that begins with the condition. */
  Object[] parametersAnd(Object... more) {
    List<Object> all = parameters();
    all.addAll(List.of(more));
    return all.toArray();
  }
}
