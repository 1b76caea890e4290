package dev.jarvis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs that tests run beside the service. */
public final class Programs {
  private static final int LIMIT_SECONDS = 120;

  private Programs() {}

  /** The command of a Java process with the tests' classes, with options for a fast start. */
  public static List<String> java(Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"));
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs a program and returns its output; fails unless it exits with 0. */
  public static String run(List<String> command) throws IOException, InterruptedException {
    return run(Path.of(""), command);
  }

  /** Runs a program in a folder and returns its output; fails unless it exits with 0. */
  public static String run(Path folder, List<String> command)
      throws IOException, InterruptedException {
    return run(folder, "", command);
  }

  /**
   * Runs a program that reads its standard input, and returns its output; fails unless it exits
   * with 0.
   */
  public static String runWithInput(String input, List<String> command)
      throws IOException, InterruptedException {
    return run(Path.of(""), input, command);
  }

  private static String run(Path folder, String input, List<String> command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toAbsolutePath().toFile())
            .redirectErrorStream(true)
            .start();
    try (OutputStream out = process.getOutputStream()) {
      out.write(input.getBytes(StandardCharsets.UTF_8)); // much less than a pipe holds
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  /** Whether a program is on the PATH. */
  public static boolean onPath(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(it -> Files.isExecutable(Path.of(it, program)));
  }

  /** The folder into which npm has installed the packages that a folder names. */
  public static Path npmPackages(Path folder) throws IOException, InterruptedException {
    return run(List.of("../stack/native/npm-packages", folder.toString()))
        .lines()
        .reduce((first, last) -> last)
        .map(Path::of)
        .orElseThrow();
  }

  /** A program of the tests' Python environment. */
  public static Path python(String name) {
    String cache = System.getenv("JARVIS_CACHE");
    Path root =
        cache == null
            ? Path.of(System.getProperty("user.home"), ".cache", "jarvis")
            : Path.of(cache);
    Path program = root.resolve("venv/bin").resolve(name);
    assertThat(Files.isExecutable(program))
        .as("%s; `make venv`, which `make test` runs, installs it", program)
        .isTrue();
    return program;
  }
}
