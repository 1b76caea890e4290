package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeaderTextTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "llama3.2:1b | llama3.2:1b",
        "org/model@v1+q4_K_M | org/model@v1+q4_K_M",
        "`a\nSet-Cookie: b` | a%0ASet-Cookie:%20b",
        "`a\r\n\r\n<html>` | a%0D%0A%0D%0A<html>",
        "`ctl\u0001\u007f` | ctl%01%7F",
        "modèle-日本 | mod%C3%A8le-%E6%97%A5%E6%9C%AC",
        "100%25 | 100%2525",
        "` a ` | %20a%20"
      })
  void everyTextIsOneHeaderValue(String text, String value) {
    assertThat(HeaderText.encode(text)).isEqualTo(value);
  }

  @Test
  void aLongTextIsCut() {
    assertThat(HeaderText.encode("a".repeat(10_000))).hasSize(512);
  }
}
