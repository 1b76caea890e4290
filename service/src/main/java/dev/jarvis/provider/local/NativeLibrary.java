package dev.jarvis.provider.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Loads native code from its binding's jar. The bindings' own loaders leave files behind if the
 * process is killed. Llama.cpp's also deletes all files {@code llama*} in the shared temporary
 * folder, unpacks to a fixed name there (which crashes a second process that uses the file), and
 * prints a line to stdout, which is for log lines only.
 */
enum NativeLibrary {
  LLAMA("llama.cpp", "de.kherud.llama.LlamaModel", "de.kherud.llama.lib.path", "jllama") {
    @Override
    String folder() {
      String folder = MACHINE.equals("amd64") ? "x86_64" : MACHINE;
      return "/de/kherud/llama/" + SYSTEM + "/" + folder + "/";
    }
  },

  ONNX_RUNTIME(
      "ONNX Runtime",
      "ai.onnxruntime.OrtEnvironment",
      "onnxruntime.native.path",
      "onnxruntime",
      "onnxruntime4j_jni") {
    @Override
    String folder() {
      String system =
          switch (SYSTEM) {
            case "Windows" -> "win";
            case "Mac" -> "osx";
            default -> "linux";
          };
      String machine = MACHINE.equals("amd64") || MACHINE.equals("x86_64") ? "x64" : MACHINE;
      return "/ai/onnxruntime/native/" + system + "-" + machine + "/";
    }
  };

  private static final String SYSTEM = System.getProperty("os.name", "").split(" ", 2)[0];
  private static final String MACHINE =
      System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);

  /** Where llama.cpp's own loader works, which still runs. */
  private static final String LLAMA_FOLDER = "de.kherud.llama.tmpdir";

  private final String title;
  private final String binding;
  private final String pathProperty;
  private final List<String> libraries;
  private boolean loaded; // guarded by this

  /**
   * @param binding the class whose initialisation loads the libraries
   * @param pathProperty names the system property for their folder
   */
  NativeLibrary(String title, String binding, String pathProperty, String... libraries) {
    this.title = title;
    this.binding = binding;
    this.pathProperty = pathProperty;
    this.libraries = List.of(libraries);
  }

  /** The folder in the binding's jar. */
  abstract String folder();

  /**
   * Loads the library, unless that was done before.
   *
   * @throws IOException if there is none for this machine, or it cannot be unpacked
   */
  synchronized void load() throws IOException {
    if (loaded) {
      return;
    }
    Path target = Files.createTempDirectory("jarvis-native");
    List<Path> files = new ArrayList<>();
    try {
      for (String library : libraries) {
        Path file = target.resolve(System.mapLibraryName(library));
        files.add(file);
        unpack(file);
      }
      System.setProperty(pathProperty, target.toString());
      System.setProperty(LLAMA_FOLDER, target.toString());
      Class.forName(binding);
      loaded = true;
    } catch (ClassNotFoundException | LinkageError e) {
      throw new IOException(title + " cannot be loaded on this machine: " + e.getMessage(), e);
    } finally {
      // deleted now, so that even a killed process leaves no file (except on Windows)
      files.forEach(NativeLibrary::delete);
      delete(target);
    }
  }

  private void unpack(Path file) throws IOException {
    String resource = folder() + file.getFileName();
    try (InputStream in = NativeLibrary.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException(
            "%s cannot be loaded on this machine: its jar has no %s".formatted(title, resource));
      }
      Files.copy(in, file);
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      path.toFile().deleteOnExit();
    }
  }
}
