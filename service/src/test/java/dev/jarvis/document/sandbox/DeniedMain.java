package dev.jarvis.document.sandbox;

import java.util.TreeMap;

/**
 * Makes each denied system call, with arguments that are invalid, and prints its name and error.
 * Must run in the sandbox.
 */
final class DeniedMain {
  private static final int CLONE3 = 435;
  private static final int NOT_YET = 999;

  private DeniedMain() {}

  public static void main(String[] args) {
    if (TestKernel.errno(TestKernel.denied("socket"), 0, 0) != 1) {
      throw new IllegalStateException("no filter is installed, so the calls would be made");
    }
    Architecture here = Architecture.current().orElseThrow();
    DeniedCalls.numbers(here)
        .forEach(
            (name, number) -> System.out.println(name + " " + TestKernel.errno(number, 0, -1)));
    System.out.println("execve " + TestKernel.errno(SystemCall.EXECVE.number(here), 0, 0));
    System.out.println("clone " + TestKernel.errno(SystemCall.CLONE.number(here), 17, 0));
    System.out.println("prlimit64 " + TestKernel.errno(SystemCall.PRLIMIT64.number(here), 1, 7));
    System.out.println("tgkill " + TestKernel.errno(SystemCall.TGKILL.number(here), 1, 1));
    int fcntl = SystemCall.FCNTL.number(here);
    int ioctl = SystemCall.IOCTL.number(here);
    new TreeMap<>(DeniedCalls.FCNTL)
        .forEach((name, it) -> System.out.println(name + " " + TestKernel.errno(fcntl, -1, it)));
    new TreeMap<>(DeniedCalls.IOCTL)
        .forEach((name, it) -> System.out.println(name + " " + TestKernel.errno(ioctl, -1, it)));
    System.out.println("F_GETFD " + TestKernel.errno(fcntl, 1, 1));
    System.out.println("FIONREAD " + TestKernel.errno(ioctl, -1, 0x541b));
    System.out.println("clone3 " + TestKernel.errno(CLONE3, 0, 0));
    System.out.println("unknown " + TestKernel.errno(NOT_YET, 0, 0));
    System.out.println("getpid " + TestKernel.errno(SystemCall.GETPID.number(here), 0, 0));
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }
}
