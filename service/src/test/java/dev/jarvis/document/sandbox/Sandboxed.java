package dev.jarvis.document.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Whether this system allows the whole sandbox. */
public final class Sandboxed {
  private Sandboxed() {}

  /** Skips the test where it does not; with REQUIRE_SANDBOX, as in CI, the test fails. */
  public static void assume() {
    if (System.getenv("REQUIRE_SANDBOX") == null) {
      assumeTrue(isAllowed(), "this system has no Landlock");
    } else {
      assertThat(isAllowed()).as("the kernel has Landlock").isTrue();
    }
  }

  private static boolean isAllowed() {
    if (!SandboxMain.isSupported()) {
      return false;
    }
    try {
      return new LinuxKernel().call(SystemCall.LANDLOCK_CREATE_RULESET, 0, 0, 1) > 0;
    } catch (Kernel.Refusal e) {
      return false;
    }
  }
}
