package dev.jarvis.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.config.Configs;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresUrlTest {
  @ParameterizedTest
  @CsvSource({
    "jdbc:postgresql://db:5432/jarvis, jdbc:postgresql://db:5432/jarvis,,",
    "postgresql://db/jarvis, jdbc:postgresql://db/jarvis,,",
    "postgres://ann:s3cret@db:5432/jarvis, jdbc:postgresql://db:5432/jarvis, ann, s3cret",
    "postgres://ann@db/jarvis, jdbc:postgresql://db/jarvis, ann,",
    "postgres://a%40b:p%2Fw+x@db/jarvis, jdbc:postgresql://db/jarvis, a@b, p/w+x",
    "postgres://[::1]:5432/jarvis, jdbc:postgresql://[::1]:5432/jarvis,,",
    "'jdbc:postgresql://a:1,b:2/jarvis?sslmode=require', 'jdbc:postgresql://a:1,b:2/jarvis?sslmode=require',,",
    "jdbc:postgresql://db/jarvis?user=ann&sslmode=require&password=s3cret,"
        + " jdbc:postgresql://db/jarvis?sslmode=require, ann, s3cret",
  })
  void acceptsCommonForms(String url, String jdbc, String username, String password) {
    assertThat(PostgresUrl.parse(url)).isEqualTo(new PostgresUrl(jdbc, username, password));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "db:5432/jarvis",
        "jdbc:mysql://db/jarvis",
        "postgres://db",
        "postgres:///jarvis",
        "postgres://ann:s3cret@/jarvis"
      })
  void refusesOtherFormsWithoutRepeatingThem(String url) {
    assertThatThrownBy(() -> PostgresUrl.parse(url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("jdbc:postgresql://host:port/database")
        .hasMessageNotContaining("s3cret");
  }

  @Test
  void theConfigurationSaysWhatIsAllowed() {
    assertThatThrownBy(() -> Configs.of(DatabaseConfig.class, Map.of("url", "postgres://x@db")))
        .hasMessageContaining("the value must be of the form jdbc:postgresql://host:port/database");
  }
}
