package dev.jarvis;

import dev.jarvis.chaos.Held;
import dev.jarvis.chaos.HoldStage;

/**
 * Starts the service as {@link Main} does, with a {@link HoldStage} around every stage. Its
 * argument is the port of the test's {@code Gate}.
 */
public final class ChaosMain {
  private ChaosMain() {}

  public static void main(String[] args) throws Exception {
    Held held = new Held(Integer.parseInt(args[0]));
    Jarvis jarvis = new Jarvis(it -> HoldStage.around(it, held));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  jarvis.close();
                  Runtime.getRuntime().halt(0);
                }));
    try {
      jarvis.start(JarvisConfig.load(System.getenv()));
    } catch (Throwable e) {
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
    held.ready(ProcessHandle.current().pid(), jarvis.port());
  }
}
