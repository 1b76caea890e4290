package dev.jarvis.document.extract;

/** Whether the process that reads files gives up its rights. */
public enum SandboxMode {
  /** As far as the kernel allows. */
  AUTO,
  /** Entirely; nothing is read where the kernel does not allow all of it. */
  REQUIRED,
  /** Not at all. */
  OFF
}
