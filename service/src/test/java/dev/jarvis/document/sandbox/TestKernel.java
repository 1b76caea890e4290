package dev.jarvis.document.sandbox;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/** Calls the kernel by any number. */
@SuppressWarnings("restricted")
final class TestKernel {
  private static final ValueLayout NUMBER = ValueLayout.JAVA_LONG;
  private static final long ERRNO =
      Linker.Option.captureStateLayout().byteOffset(PathElement.groupElement("errno"));
  private static final MethodHandle SYSCALL =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
              FunctionDescriptor.of(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
              Linker.Option.firstVariadicArg(1),
              Linker.Option.captureCallState("errno"));

  private TestKernel() {}

  /** Returns the error of a call, 0 if it succeeds. */
  static int errno(long number, long first, long second) {
    return errno(number, first, second, 0);
  }

  static int errno(long number, long first, long second, long third) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      long result = (long) SYSCALL.invokeExact(state, number, first, second, third);
      return result < 0 ? state.get(ValueLayout.JAVA_INT, ERRNO) : 0;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  static int denied(String call) {
    return Objects.requireNonNull(
        DeniedCalls.numbers(Architecture.current().orElseThrow()).get(call));
  }
}
