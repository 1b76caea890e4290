package dev.jarvis.document.sandbox;

import java.io.IOException;
import java.util.List;

/** First stages on kernels and in containers that refuse layers. */
public final class Refusing {
  private static final int ENOSYS = 38;

  private Refusing() {}

  /** As in gVisor. */
  public static final class WithoutLandlock {
    private WithoutLandlock() {}

    public static void main(String[] args) throws IOException {
      refuse(args, SystemCall.LANDLOCK_CREATE_RULESET);
    }
  }

  public static final class WithoutSeccomp {
    private WithoutSeccomp() {}

    public static void main(String[] args) throws IOException {
      refuse(args, SystemCall.SECCOMP);
    }
  }

  public static final class WithoutAny {
    private WithoutAny() {}

    public static void main(String[] args) throws IOException {
      refuse(args, SystemCall.PRCTL, SystemCall.LANDLOCK_CREATE_RULESET, SystemCall.SECCOMP);
    }
  }

  /** Fails before it executes anything. */
  public static final class Broken {
    private Broken() {}

    @SuppressWarnings("DoNotCallSuggester") // a program
    public static void main(String[] args) {
      throw new IllegalStateException("broken");
    }
  }

  private static void refuse(String[] args, SystemCall... refused) throws IOException {
    Kernel linux = new LinuxKernel();
    Kernel refusing =
        new Kernel() {
          @Override
          public Architecture architecture() {
            return linux.architecture();
          }

          @Override
          public long call(SystemCall call, long... arguments) throws Refusal {
            if (List.of(refused).contains(call)) {
              throw new Refusal(call, ENOSYS);
            }
            return linux.call(call, arguments);
          }
        };
    SandboxMain.run(refusing, args.length);
  }
}
