package dev.jarvis.provider.local;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Native code of other projects. */
class NativeLibraryTest {

  @Test
  void leavesNoFileBehind() throws Exception {
    NativeLibrary.ONNX_RUNTIME.load();
    NativeLibrary.ONNX_RUNTIME.load();

    Field own = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("tempDirectory");
    own.setAccessible(true);
    assertThat((Path) own.get(null)).doesNotExist();
    assertThat(folders("onnxruntime.native.path", "de.kherud.llama.tmpdir"))
        .isNotEmpty()
        .allSatisfy(it -> assertThat(it).doesNotExist());
  }

  private static List<Path> folders(String... properties) {
    return Stream.of(properties)
        .map(System::getProperty)
        .filter(Objects::nonNull)
        .map(Path::of)
        .toList();
  }

  /** ONNX Runtime 1.29 is the first release whose library for Linux reports to its maker. */
  @ParameterizedTest
  @ValueSource(strings = {"linux-x64", "linux-aarch64"})
  void doesNotCallHome(String platform) throws Exception {
    String path = "/ai/onnxruntime/native/" + platform + "/libonnxruntime.so";
    try (InputStream in =
        Objects.requireNonNull(NativeLibraryTest.class.getResourceAsStream(path))) {
      assertThat(new String(in.readAllBytes(), ISO_8859_1).contains("events.data.microsoft.com"))
          .as("the library contains the address of Microsoft's telemetry")
          .isFalse();
    }
  }
}
