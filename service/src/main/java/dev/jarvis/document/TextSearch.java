package dev.jarvis.document;

import dev.jarvis.storage.Database;
import dev.jarvis.storage.Sql;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Chooses PostgreSQL's text search configuration for the words of a document. */
final class TextSearch {
  private static final String SIMPLE = "simple";

  /** Configurations of all of PostgreSQL's releases by ISO 639-1, and close relatives' codes. */
  private static final Map<String, String> BY_LANGUAGE =
      Stream.of(
              """
              ar=arabic ca=catalan da=danish de=german el=greek en=english es=spanish et=estonian eu=basque \
              fi=finnish fr=french ga=irish hi=hindi hr=serbian hu=hungarian hy=armenian id=indonesian it=italian \
              lt=lithuanian ne=nepali nl=dutch no=norwegian pl=polish pt=portuguese ro=romanian ru=russian sr=serbian \
              sv=swedish ta=tamil tr=turkish yi=yiddish"""
                  .split(" "))
          .map(it -> it.split("="))
          .collect(Collectors.toUnmodifiableMap(it -> it[0], it -> it[1]));

  private final @Nullable String configured;
  private final Set<String> available;

  private TextSearch(@Nullable String configured, Set<String> available) {
    this.configured = configured;
    this.available = available;
  }

  /**
   * @param configured the configuration of all documents; null for that of each one's language
   * @throws IllegalArgumentException if PostgreSQL does not have it
   */
  static TextSearch of(Database database, @Nullable String configured) {
    Set<String> available =
        Set.copyOf(
            database.execute(
                Sql.list(
                    "list_text_search_configurations",
                    "SELECT DISTINCT cfgname FROM pg_ts_config WHERE pg_ts_config_is_visible(oid)",
                    it -> it.column("cfgname").getString())));
    if (configured != null && !available.contains(configured)) {
      throw new IllegalArgumentException(
          "documents.text-search: PostgreSQL has no text search configuration \"%s\"; it has %s"
              .formatted(
                  configured, available.stream().sorted().collect(Collectors.joining(", "))));
    }
    return new TextSearch(configured, available);
  }

  /**
   * @param language ISO 639-1; empty if it is uncertain
   */
  String configuration(Optional<String> language) {
    if (configured != null) {
      return configured;
    }
    return language.map(BY_LANGUAGE::get).filter(available::contains).orElse(SIMPLE);
  }
}
