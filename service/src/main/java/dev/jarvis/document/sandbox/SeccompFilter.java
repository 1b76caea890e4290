package dev.jarvis.document.sandbox;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Denies {@link DeniedCalls} to the current thread and to what it executes. The filter is a program
 * of classic BPF; constants are those of {@code linux/seccomp.h} and {@code linux/bpf_common.h}.
 *
 * <p>A list of what is denied, and not of what is allowed: a JVM, a C library or a kernel that
 * needs one call more must not break the extraction on somebody's machine. Denied calls return an
 * error, because a JVM probes for some of them; calls that are newer than the list do not exist.
 */
final class SeccompFilter {
  private static final int SET_MODE_FILTER = 1;

  private static final int ALLOW = 0x7fff0000;
  private static final int KILL_PROCESS = 0x80000000;
  private static final int ERRNO = 0x00050000;
  private static final int EPERM = 1;
  private static final int ENOSYS = 38;

  /** Bytes of struct sock_filter: code, jump if true, jump if false, constant. */
  private static final int INSTRUCTION_BYTES = 8;

  private static final int LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
  private static final int JUMP_IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
  private static final int JUMP_IF_NOT_LESS = 0x35; // BPF_JMP | BPF_JGE | BPF_K
  private static final int JUMP_IF_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
  private static final int RETURN = 0x06; // BPF_RET | BPF_K

  /** Offsets in struct seccomp_data. */
  private static final int NUMBER = 0;

  private static final int ARCHITECTURE = 4;
  private static final int ARGUMENTS = 16;

  private static final int CLONE_THREAD = 0x00010000; // linux/sched.h

  /** Where a jump leads. */
  private enum Label {
    NEXT,
    CLONE,
    EXECVE,
    FCNTL,
    IOCTL,
    PRLIMIT64,
    TGKILL,
    ALLOW,
    DENY,
    ABSENT,
    KILL
  }

  private record Instruction(int code, Label then, Label otherwise, int constant) {}

  private final List<Instruction> program = new ArrayList<>();
  private final Map<Label, Integer> labels = new EnumMap<>(Label.class);

  /**
   * Assembles the filter.
   *
   * @param pid of this process, the only one that may be signalled
   * @param password a fourth argument of {@code execve}, which the kernel ignores: only who knows
   *     it can execute a program, as this process must do once
   */
  SeccompFilter(Architecture architecture, long pid, long password) {
    load(ARCHITECTURE);
    jump(JUMP_IF_EQUAL, architecture.auditArch(), Label.NEXT, Label.KILL);
    load(NUMBER);
    jump(JUMP_IF_NOT_LESS, DeniedCalls.FIRST_UNKNOWN, Label.ABSENT, Label.NEXT);
    ifCall(architecture, SystemCall.CLONE3, Label.ABSENT); // C libraries then use clone
    ifCall(architecture, SystemCall.CLONE, Label.CLONE);
    ifCall(architecture, SystemCall.EXECVE, Label.EXECVE);
    ifCall(architecture, SystemCall.FCNTL, Label.FCNTL);
    ifCall(architecture, SystemCall.IOCTL, Label.IOCTL);
    ifCall(architecture, SystemCall.PRLIMIT64, Label.PRLIMIT64);
    ifCall(architecture, SystemCall.TGKILL, Label.TGKILL);
    for (int number : DeniedCalls.numbers(architecture).values()) {
      jump(JUMP_IF_EQUAL, number, Label.DENY, Label.NEXT);
    }
    result(ALLOW);

    label(Label.CLONE);
    load(argument(0));
    jump(JUMP_IF_ANY_BIT, CLONE_THREAD, Label.ALLOW, Label.DENY);
    label(Label.EXECVE);
    load(argument(3));
    jump(JUMP_IF_EQUAL, (int) password, Label.NEXT, Label.DENY);
    load(argument(3) + Integer.BYTES);
    jump(JUMP_IF_EQUAL, (int) (password >>> Integer.SIZE), Label.ALLOW, Label.DENY);
    label(Label.FCNTL);
    denyCommands(DeniedCalls.FCNTL);
    label(Label.IOCTL);
    denyCommands(DeniedCalls.IOCTL);
    label(Label.PRLIMIT64);
    load(argument(0));
    jump(JUMP_IF_EQUAL, 0, Label.ALLOW, Label.DENY);
    label(Label.TGKILL);
    load(argument(0));
    jump(JUMP_IF_EQUAL, (int) pid, Label.ALLOW, Label.DENY);

    label(Label.ALLOW);
    result(ALLOW);
    label(Label.DENY);
    result(ERRNO | EPERM);
    label(Label.ABSENT);
    result(ERRNO | ENOSYS);
    label(Label.KILL);
    result(KILL_PROCESS);
  }

  /**
   * Installs the filter for the current thread.
   *
   * @throws Kernel.Refusal if the kernel has no filters, or does not allow them
   */
  void install(Kernel kernel) throws Kernel.Refusal {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment header = arena.allocate(16, 8); // struct sock_fprog
      header.set(ValueLayout.JAVA_SHORT, 0, (short) program.size());
      header.set(ValueLayout.ADDRESS, 8, assemble(arena));
      kernel.call(SystemCall.SECCOMP, SET_MODE_FILTER, 0, header.address());
    }
  }

  private MemorySegment assemble(Arena arena) {
    MemorySegment code = arena.allocate((long) program.size() * INSTRUCTION_BYTES, 8);
    for (int i = 0; i < program.size(); i++) {
      Instruction it = program.get(i);
      long at = (long) i * INSTRUCTION_BYTES;
      code.set(ValueLayout.JAVA_SHORT, at, (short) it.code());
      code.set(ValueLayout.JAVA_BYTE, at + 2, distance(i, it.then()));
      code.set(ValueLayout.JAVA_BYTE, at + 3, distance(i, it.otherwise()));
      code.set(ValueLayout.JAVA_INT, at + 4, it.constant());
    }
    return code;
  }

  /** The number of instructions that a jump skips, at most 255. */
  private byte distance(int from, Label to) {
    return to == Label.NEXT ? 0 : (byte) (labels.getOrDefault(to, 0) - from - 1);
  }

  private void label(Label label) {
    labels.put(label, program.size());
  }

  private void load(int offset) {
    program.add(new Instruction(LOAD, Label.NEXT, Label.NEXT, offset));
  }

  private void jump(int condition, int constant, Label then, Label otherwise) {
    program.add(new Instruction(condition, then, otherwise, constant));
  }

  private void ifCall(Architecture architecture, SystemCall call, Label then) {
    jump(JUMP_IF_EQUAL, call.number(architecture), then, Label.NEXT);
  }

  /** Denies values of a call's second argument, of which the kernel uses the lower half. */
  private void denyCommands(Map<String, Integer> commands) {
    load(argument(1));
    for (int command : commands.values()) {
      jump(JUMP_IF_EQUAL, command, Label.DENY, Label.NEXT);
    }
    result(ALLOW);
  }

  private void result(int action) {
    program.add(new Instruction(RETURN, Label.NEXT, Label.NEXT, action));
  }

  /** The lower half of an argument; both architectures are little endian. */
  private static int argument(int index) {
    return ARGUMENTS + index * Long.BYTES;
  }
}
