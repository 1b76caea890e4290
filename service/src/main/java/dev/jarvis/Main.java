package dev.jarvis;

import dev.jarvis.config.ConfigException;
import dev.jarvis.telemetry.LogOutput;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** Starts the service: configuration from the environment, then {@link Jarvis} until SIGTERM. */
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  /** How long the last log lines may take at shutdown. */
  private static final Duration LOG_LIMIT = Duration.ofSeconds(2);

  private static volatile int exitCode;

  private Main() {}

  /**
   * Takes no arguments: settings are environment variables, or keys of the file that JARVIS_CONFIG
   * names.
   */
  public static void main(String[] args) {
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    if (args.length > 0) {
      System.err.println("jarvis takes no arguments; its settings are JARVIS_… variables");
      System.exit(1); // nothing to close yet
    }
    Jarvis jarvis = new Jarvis();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(jarvis), "shutdown"));
    try {
      jarvis.start(JarvisConfig.load(System.getenv()));
    } catch (ConfigException e) {
      System.err.println(e.getMessage());
      exit(1);
    } catch (Throwable e) { // also an Error: running threads would keep the process alive
      try {
        LOG.atError().setCause(e).log("start failed");
      } finally {
        exit(1);
      }
    }
  }

  private static void exit(int code) {
    exitCode = code;
    System.exit(code);
  }

  private static void stop(Jarvis jarvis) {
    jarvis.close();
    LogOutput.stop(LOG_LIMIT);
    // a JVM that ends by a signal would exit with 143; an orderly end is 0
    Runtime.getRuntime().halt(exitCode);
  }
}
