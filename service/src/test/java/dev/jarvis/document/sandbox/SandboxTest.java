package dev.jarvis.document.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.jarvis.Programs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a program can do in the sandbox, and what the sandbox does where the kernel refuses. */
@Timeout(120)
class SandboxTest {
  private static final String LAYERS = "no_new_privileges,landlock,seccomp";
  private static final String ALL = "{\"sandbox\":\"%s\"}".formatted(LAYERS);

  @TempDir Path folder;
  @TempDir Path outside;

  private List<String> run(List<String> command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      List<String> lines = new ArrayList<>(output.lines().toList());
      lines.add("exit " + process.waitFor());
      return lines;
    } finally {
      process.destroyForcibly();
    }
  }

  /** A program of the tests' class path. */
  private List<String> program(Class<?> main, String... args) {
    List<String> command = new ArrayList<>(Programs.java(main, args));
    command.add(1, "-Djava.io.tmpdir=" + folder);
    command.add(1, "--enable-native-access=ALL-UNNAMED");
    return command;
  }

  private List<String> confined(Class<?> firstStage, String needed, List<String> program) {
    List<String> args = new ArrayList<>();
    args.add(needed);
    for (String readable :
        Stream.of("/lib", "/lib64", "/usr/lib", "/usr/lib64", System.getProperty("java.home"))
            .toList()) {
      args.add("run:" + readable);
    }
    for (String entry : System.getProperty("java.class.path").split(":", -1)) {
      args.add("read:" + Path.of(entry).toAbsolutePath());
    }
    args.addAll(
        List.of(
            "read:/dev/urandom", "read:/dev/random", "read:/proc/self", "write:" + folder, "--"));
    args.addAll(program);
    return program(firstStage, args.toArray(String[]::new));
  }

  private List<String> hostile(ServerSocket server) throws IOException {
    Path secret = Files.writeString(outside.resolve("key"), "secret");
    Files.writeString(outside.resolve("neighbour"), "");
    return program(
        Hostile.class,
        secret.toString(),
        outside.toString(),
        Integer.toString(server.getLocalPort()),
        Long.toString(ProcessHandle.current().pid()));
  }

  @Test
  void aHostileProgramReachesNothingButItsFolder() throws Exception {
    Sandboxed.assume();
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      List<String> program = hostile(server);
      List<String> free = run(program);
      assertThat(free).as("without the sandbox").filteredOn(it -> it.endsWith("denied")).isEmpty();
      assertThat(free).hasSize(20);

      for (Path left : List.of("own", "two").stream().map(folder::resolve).toList()) {
        Files.delete(left);
      }
      Files.delete(outside.resolve("new"));
      hostile(server);
      List<String> confined = run(confined(SandboxMain.class, LAYERS, program));
      assertThat(confined).hasSize(21).startsWith(ALL).endsWith("exit 0");
      assertThat(confined.subList(1, 20))
          .allSatisfy(it -> assertThat(it).endsWith(it.startsWith("+") ? "done" : "denied"));
      assertThat(Files.readString(outside.resolve("key"))).isEqualTo("secret");
      assertThat(outside.resolve("new")).doesNotExist();
    }
  }

  @Test
  void everyCallOfTheListIsDenied() throws Exception {
    Sandboxed.assume();
    List<String> lines = run(confined(SandboxMain.class, LAYERS, program(DeniedMain.class)));

    List<String> expected = new ArrayList<>(List.of(ALL));
    DeniedCalls.numbers(Architecture.current().orElseThrow())
        .keySet()
        .forEach(it -> expected.add(it + " 1"));
    expected.addAll(
        List.of(
            "execve 1",
            "clone 1",
            "prlimit64 1",
            "tgkill 1",
            "F_SETOWN 1",
            "F_SETOWN_EX 1",
            "F_SETSIG 1",
            "FIOSETOWN 1",
            "SIOCSPGRP 1",
            "F_GETFD 0",
            "FIONREAD 9", // reached the kernel: no such file
            "clone3 38",
            "unknown 38",
            "getpid 0",
            "exit 0"));
    assertThat(lines).containsExactlyElementsOf(expected);
  }

  /** What a kernel or a container refuses is missing, and the rest is applied. */
  @ParameterizedTest
  @CsvSource({
    "WithoutLandlock, 'no_new_privileges,seccomp'",
    "WithoutSeccomp, 'no_new_privileges,landlock'",
    "WithoutAny, ''"
  })
  void aRefusedLayerIsReportedAndStopsTheProgramIfItIsNeeded(String name, String layers)
      throws Exception {
    Sandboxed.assume();
    Class<?> firstStage = Class.forName(Refusing.class.getName() + "$" + name);
    String line = "{\"sandbox\":\"%s\"}".formatted(layers);
    List<String> program = program(Greeting.class);

    for (String needed : List.of("none", layers)) {
      assertThat(run(confined(firstStage, needed, program)))
          .containsExactly(line, "hello", "exit 0");
    }
    assertThat(run(confined(firstStage, LAYERS, program)))
        .containsExactly(line, "exit " + SandboxMain.INCOMPLETE);
  }

  /** Prints a word. */
  static final class Greeting {
    private Greeting() {}

    public static void main(String[] args) {
      System.out.println("hello");
    }
  }

  @ParameterizedTest
  @EnumSource
  void theTableHasEachCallOnceForEachArchitecture(Architecture architecture) {
    assertThat(DeniedCalls.numbers(architecture).values())
        .hasSizeGreaterThan(80)
        .doesNotHaveDuplicates()
        .allSatisfy(it -> assertThat(it).isBetween(0, DeniedCalls.FIRST_UNKNOWN - 1));
  }
}
