package dev.jarvis.document.sandbox;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A program that does what a parser might that a file has taken over: {@code SECRET OUTSIDE PORT
 * PARENT}. Prints a line for each attempt: its name, and {@code done} or {@code denied}.
 */
final class Hostile {
  private Hostile() {}

  private interface Attempt {
    void run() throws Exception;
  }

  public static void main(String[] args) throws Exception {
    Path secret = Path.of(args[0]);
    Path outside = Path.of(args[1]);
    int port = Integer.parseInt(args[2]);
    long parent = Long.parseLong(args[3]);
    Path parentsFiles = Path.of("/proc", args[3]);
    Map<String, Attempt> attempts = new TreeMap<>();
    attempts.put("read /etc/passwd", () -> Files.readAllBytes(Path.of("/etc/passwd")));
    attempts.put("read a key", () -> Files.readAllBytes(secret));
    attempts.put(
        "read the parent's environment", () -> Files.readAllBytes(parentsFiles.resolve("environ")));
    attempts.put("list the root", Hostile::list);
    attempts.put("write outside", () -> Files.writeString(outside.resolve("new"), "x"));
    attempts.put("change a key", () -> Files.writeString(secret, "x"));
    attempts.put("delete a key's neighbour", () -> Files.delete(outside.resolve("neighbour")));
    attempts.put(
        "make a key readable",
        () -> Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--")));
    attempts.put("connect", () -> new Socket(InetAddress.getLoopbackAddress(), port).close());
    attempts.put("listen", () -> new ServerSocket(0, 1, InetAddress.getLoopbackAddress()).close());
    attempts.put("open a datagram socket", () -> new DatagramSocket().close());
    attempts.put("start a process", () -> new ProcessBuilder("/bin/true").start().waitFor());
    attempts.put("signal the parent", () -> signal(parent));
    attempts.put("have the kernel signal the parent", () -> own(parent));
    attempts.put("+ write in the folder", () -> Files.writeString(Path.of("own"), "x"));
    attempts.put("+ make a temporary file", () -> Files.delete(Files.createTempFile("a", "b")));
    attempts.put(
        "+ rename in the folder",
        () -> Files.move(Files.writeString(Path.of("one"), "x"), Path.of("two")));
    attempts.put("+ read its own memory map", () -> Files.readAllBytes(Path.of("/proc/self/maps")));
    attempts.put("+ start threads", Hostile::threads);
    attempts.forEach(
        (name, attempt) ->
            System.out.println(name + ": " + (succeeds(attempt) ? "done" : "denied")));
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static void list() throws IOException {
    try (DirectoryStream<Path> root = Files.newDirectoryStream(Path.of("/"))) {
      root.iterator().next();
    }
  }

  private static boolean succeeds(Attempt attempt) {
    try {
      attempt.run();
      return true;
    } catch (Exception | ExceptionInInitializerError | NoClassDefFoundError e) {
      return false; // Java's sockets need one to be initialised
    }
  }

  /** With the signal 0, which only asks whether it would be allowed. */
  private static void signal(long pid) throws IOException {
    if (TestKernel.errno(TestKernel.denied("kill"), pid, 0) != 0) {
      throw new IOException("not allowed");
    }
  }

  /** Makes a process the one that is told of input. */
  private static void own(long pid) throws IOException {
    int fcntl = SystemCall.FCNTL.number(Architecture.current().orElseThrow());
    if (TestKernel.errno(fcntl, 0, Objects.requireNonNull(DeniedCalls.FCNTL.get("F_SETOWN")), pid)
        != 0) {
      throw new IOException("not allowed");
    }
  }

  private static void threads() throws InterruptedException {
    Thread platform = Thread.ofPlatform().start(() -> {});
    Thread virtual = Thread.ofVirtual().start(() -> {});
    platform.join();
    virtual.join();
  }
}
