package dev.jarvis.document.sandbox;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Restricts the current thread, and what it executes, to some files. The constants are those of
 * {@code linux/landlock.h}; see <a
 * href="https://docs.kernel.org/userspace-api/landlock.html">Landlock: unprivileged access
 * control</a>. What the kernel's version of it does not offer is left out.
 */
final class Landlock {
  private static final int GET_VERSION = 1;
  private static final int RULE_PATH_BENEATH = 1;
  private static final int AT_FDCWD = -100; // linux/fcntl.h
  private static final int O_PATH = 0x200000; // asm-generic/fcntl.h, as O_CLOEXEC
  private static final int O_CLOEXEC = 0x80000;

  private static final long EXECUTE = 1;
  private static final long WRITE_FILE = 1 << 1;
  private static final long READ_FILE = 1 << 2;
  private static final long READ_DIR = 1 << 3;
  private static final long REMOVE_DIR = 1 << 4;
  private static final long REMOVE_FILE = 1 << 5;
  private static final long MAKE_DIR = 1 << 7;
  private static final long MAKE_REG = 1 << 8;

  /** All rights of the first version: from EXECUTE to MAKE_SYM. */
  private static final long FIRST = (1 << 13) - 1;

  private static final long REFER = 1 << 13; // from version 2
  private static final long TRUNCATE = 1 << 14; // from version 3
  private static final long IOCTL_DEV = 1 << 15; // from version 5

  /** Rights that a rule for a file, and not a folder, may have. */
  private static final long OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

  /** BIND_TCP and CONNECT_TCP, from version 4. */
  private static final long TCP = 3;

  /** Abstract Unix sockets and signals, from version 6. */
  private static final long SCOPES = 3;

  /** What a rule allows. */
  enum Access {
    READ(READ_FILE | READ_DIR),
    RUN(READ_FILE | READ_DIR | EXECUTE),
    WRITE(
        READ_FILE
            | READ_DIR
            | WRITE_FILE
            | REMOVE_DIR
            | REMOVE_FILE
            | MAKE_DIR
            | MAKE_REG
            | REFER
            | TRUNCATE);

    private final long rights;

    Access(long rights) {
      this.rights = rights;
    }
  }

  /**
   * A file, or a folder with all that is in it.
   *
   * @param path a character for each byte, see {@link Strings}
   */
  record Rule(Access access, String path) {}

  private final Kernel kernel;

  Landlock(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * Restricts the current thread to the files of the rules; those that do not exist are ignored.
   *
   * @throws Kernel.Refusal if the kernel has no Landlock, or does not allow it
   */
  void restrict(List<Rule> rules) throws Kernel.Refusal {
    long version = kernel.call(SystemCall.LANDLOCK_CREATE_RULESET, 0, 0, GET_VERSION);
    long files =
        FIRST
            | (version >= 2 ? REFER : 0)
            | (version >= 3 ? TRUNCATE : 0)
            | (version >= 5 ? IOCTL_DEV : 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ruleset = arena.allocate(24, 8);
      ruleset.set(ValueLayout.JAVA_LONG, 0, files);
      ruleset.set(ValueLayout.JAVA_LONG, 8, version >= 4 ? TCP : 0);
      ruleset.set(ValueLayout.JAVA_LONG, 16, version >= 6 ? SCOPES : 0);
      int size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
      long id = kernel.call(SystemCall.LANDLOCK_CREATE_RULESET, ruleset.address(), size, 0);
      for (Rule rule : rules) {
        add(id, rule, files);
      }
      kernel.call(SystemCall.LANDLOCK_RESTRICT_SELF, id, 0);
      kernel.call(SystemCall.CLOSE, id);
    }
  }

  private void add(long ruleset, Rule rule, long handled) throws Kernel.Refusal {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = Strings.terminated(arena, rule.path());
      long file;
      try {
        file = kernel.call(SystemCall.OPENAT, AT_FDCWD, path.address(), O_PATH | O_CLOEXEC);
      } catch (Kernel.Refusal absent) {
        return;
      }
      long rights = rule.access().rights & handled;
      try {
        add(arena, ruleset, file, rights);
      } catch (Kernel.Refusal notAFolder) {
        add(arena, ruleset, file, rights & OF_FILES);
      }
      kernel.call(SystemCall.CLOSE, file);
    }
  }

  private void add(Arena arena, long ruleset, long file, long rights) throws Kernel.Refusal {
    MemorySegment beneath = arena.allocate(12, 8); // packed
    beneath.set(ValueLayout.JAVA_LONG, 0, rights);
    beneath.set(ValueLayout.JAVA_INT, 8, (int) file);
    kernel.call(SystemCall.LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, beneath.address(), 0);
  }
}
