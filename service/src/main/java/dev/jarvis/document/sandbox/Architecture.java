package dev.jarvis.document.sandbox;

import java.util.Optional;

/** A processor whose system calls are known, with its constant {@code AUDIT_ARCH_*}. */
enum Architecture {
  // linux/audit.h: the ELF machine number, 64 bits, little endian
  X86_64(62 | 0xC0000000),
  AARCH64(183 | 0xC0000000);

  private final int auditArch;

  Architecture(int auditArch) {
    this.auditArch = auditArch;
  }

  int auditArch() {
    return auditArch;
  }

  /** The one that this JVM runs on; empty if it is another one, or the system is not Linux. */
  static Optional<Architecture> current() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.empty();
    }
    return switch (System.getProperty("os.arch")) {
      case "amd64" -> Optional.of(X86_64);
      case "aarch64" -> Optional.of(AARCH64);
      default -> Optional.empty();
    };
  }
}
