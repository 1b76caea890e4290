package dev.jarvis.document.sandbox;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/** Calls the kernel by the C library's function {@code syscall}. */
final class LinuxKernel implements Kernel {
  private static final int MAX_ARGUMENTS = 5;
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO =
      STATE.byteOffset(StructLayout.PathElement.groupElement("errno"));

  private final Architecture architecture = Architecture.current().orElseThrow();
  private final MethodHandle syscall;

  @SuppressWarnings("restricted") // the options of the process allow it
  LinuxKernel() {
    Linker linker = Linker.nativeLinker();
    ValueLayout number = ValueLayout.JAVA_LONG;
    syscall =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(number, number, number, number, number, number, number),
            Linker.Option.firstVariadicArg(1),
            Linker.Option.captureCallState("errno"));
  }

  @Override
  public Architecture architecture() {
    return architecture;
  }

  @Override
  public long call(SystemCall call, long... arguments) throws Refusal {
    long number = call.number(architecture);
    long[] all = Arrays.copyOf(arguments, MAX_ARGUMENTS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long result =
          (long) syscall.invokeExact(state, number, all[0], all[1], all[2], all[3], all[4]);
      if (result < 0) {
        throw new Refusal(call, state.get(ValueLayout.JAVA_INT, ERRNO));
      }
      return result;
    } catch (Refusal | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // the function throws nothing
    }
  }
}
