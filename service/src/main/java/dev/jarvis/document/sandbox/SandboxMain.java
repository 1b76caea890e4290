package dev.jarvis.document.sandbox;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A program that restricts itself and then executes another one in its place, which cannot lift the
 * restrictions: {@code LAYERS ACCESS:PATH… -- PROGRAM ARGUMENT…}. Landlock restricts one thread and
 * what it executes, so a JVM, which has many threads from the start, cannot restrict itself.
 *
 * <p>Prints a line {@code {"sandbox":"LAYER,LAYER"}} with the layers that the kernel has applied.
 * Does not execute the program if one of the layers is missing that the first argument names.
 */
public final class SandboxMain {
  /** The exit status if a required layer is missing. */
  public static final int INCOMPLETE = 6;

  private static final int NOT_EXECUTED = 7;
  private static final int PR_SET_NO_NEW_PRIVS = 38; // linux/prctl.h

  private SandboxMain() {}

  /** Whether this program works here: on Linux, on processors whose system calls are known. */
  public static boolean isSupported() {
    return Architecture.current().isPresent();
  }

  public static void main(String[] args) throws IOException {
    run(new LinuxKernel(), args.length);
  }

  /** Runs with the last arguments of this process's command line, in the bytes that came. */
  static void run(Kernel kernel, int count) throws IOException {
    List<String> all = commandLine();
    List<String> args = all.subList(all.size() - count, all.size());
    int end = args.indexOf("--");
    List<Layer> needed = Layer.parse(args.getFirst());
    List<Landlock.Rule> rules = args.subList(1, end).stream().map(SandboxMain::rule).toList();
    List<String> command = args.subList(end + 1, args.size());

    long password = ByteBuffer.wrap(random()).getLong();
    Set<Layer> layers = EnumSet.noneOf(Layer.class);
    apply(
        layers,
        Layer.NO_NEW_PRIVILEGES,
        () -> kernel.call(SystemCall.PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    apply(layers, Layer.LANDLOCK, () -> new Landlock(kernel).restrict(rules));
    apply(
        layers,
        Layer.SECCOMP,
        () ->
            new SeccompFilter(kernel.architecture(), kernel.call(SystemCall.GETPID), password)
                .install(kernel));
    report(layers);
    if (!layers.containsAll(needed)) {
      Runtime.getRuntime().halt(INCOMPLETE);
    }
    execute(kernel, command, password);
  }

  private interface Step {
    void run() throws Kernel.Refusal;
  }

  private static void apply(Set<Layer> layers, Layer layer, Step step) {
    try {
      step.run();
      layers.add(layer);
    } catch (Kernel.Refusal e) {
      System.err.println(layer.id() + " is missing: " + e.getMessage());
    }
  }

  private static void report(Set<Layer> layers) {
    PrintStream out = System.out;
    out.print("{\"sandbox\":\"%s\"}\n".formatted(Layer.names(layers)));
    out.flush();
  }

  private static void execute(Kernel kernel, List<String> command, long password) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = Strings.terminated(arena, command.getFirst());
      MemorySegment arguments = Strings.array(arena, command);
      MemorySegment noEnvironment = Strings.array(arena, List.of());
      kernel.call(
          SystemCall.EXECVE,
          program.address(),
          arguments.address(),
          noEnvironment.address(),
          password);
    } catch (Kernel.Refusal e) {
      System.err.println("the program was not executed: " + e.getMessage());
    }
    Runtime.getRuntime().halt(NOT_EXECUTED);
  }

  private static Landlock.Rule rule(String arg) {
    int colon = arg.indexOf(':');
    String access = arg.substring(0, colon).toUpperCase(Locale.ROOT);
    return new Landlock.Rule(Landlock.Access.valueOf(access), arg.substring(colon + 1));
  }

  /** Not Java's decoded arguments: without an environment they would be ASCII. */
  private static List<String> commandLine() throws IOException {
    String line = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.ISO_8859_1);
    return List.of(line.substring(0, line.length() - 1).split("\0", -1));
  }

  private static byte[] random() throws IOException {
    try (var in = Files.newInputStream(Path.of("/dev/urandom"))) {
      return in.readNBytes(Long.BYTES);
    }
  }
}
