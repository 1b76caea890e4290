package dev.jarvis.document.sandbox;

import java.util.Locale;

/** The Linux kernel, as far as the sandbox calls it. */
interface Kernel {
  /** The processor's calling convention for the kernel. */
  Architecture architecture();

  /**
   * Calls the kernel for the current thread.
   *
   * @param arguments numbers and addresses, at most five
   * @return the result, not negative
   * @throws Refusal if the kernel returns an error
   */
  long call(SystemCall call, long... arguments) throws Refusal;

  /** An error of the kernel. */
  final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * @param errno see {@code errno.h}
     */
    Refusal(SystemCall call, int errno) {
      super("%s: errno %d".formatted(call.name().toLowerCase(Locale.ROOT), errno));
    }
  }
}
