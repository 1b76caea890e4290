package dev.jarvis.provider.openai;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArgumentsScannerTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"{}", "{\"a\":\"}\"}", "{\"a\":\"\\\"}\"}", "[{\"a\":[1]}]", " {\"a\":\"\\\\\"} "})
  void isOpenUpToTheLastCharacter(String arguments) {
    ArgumentsScanner scanner = new ArgumentsScanner();
    assertThat(scanner.complete()).as("before it begins").isFalse();
    String text = arguments.strip();
    for (int i = 0; i < text.length(); i++) {
      scanner.add(text.substring(i, i + 1));
      assertThat(scanner.open())
          .as("after %s", text.substring(0, i + 1))
          .isEqualTo(i < text.length() - 1);
    }
    assertThat(scanner.complete()).isTrue();
  }

  @Test
  void blanksAreNoBeginning() {
    ArgumentsScanner scanner = new ArgumentsScanner();

    scanner.add(" \n");

    assertThat(scanner.open()).isFalse();
    assertThat(scanner.complete()).isFalse();
  }
}
