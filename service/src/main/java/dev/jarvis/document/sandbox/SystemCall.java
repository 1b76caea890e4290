package dev.jarvis.document.sandbox;

/**
 * System calls that the sandbox makes or whose arguments it checks, with their numbers in Linux'
 * {@code asm/unistd_64.h} (x86_64) and {@code asm-generic/unistd.h} (aarch64).
 */
enum SystemCall {
  CLONE(56, 220),
  CLONE3(435, 435),
  CLOSE(3, 57),
  EXECVE(59, 221),
  FCNTL(72, 25),
  GETPID(39, 172),
  IOCTL(16, 29),
  LANDLOCK_ADD_RULE(445, 445),
  LANDLOCK_CREATE_RULESET(444, 444),
  LANDLOCK_RESTRICT_SELF(446, 446),
  OPENAT(257, 56),
  PRCTL(157, 167),
  PRLIMIT64(302, 261),
  SECCOMP(317, 277),
  TGKILL(234, 131);

  private final int x86;
  private final int arm;

  SystemCall(int x86, int arm) {
    this.x86 = x86;
    this.arm = arm;
  }

  int number(Architecture architecture) {
    return switch (architecture) {
      case X86_64 -> x86;
      case AARCH64 -> arm;
    };
  }
}
