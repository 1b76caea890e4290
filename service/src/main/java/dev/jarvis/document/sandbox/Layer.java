package dev.jarvis.document.sandbox;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A part of the sandbox, which a kernel or a container may refuse. */
public enum Layer {
  /** Programs that are executed gain no rights; the kernel requires it for the other layers. */
  NO_NEW_PRIVILEGES,
  /** Files, and where the kernel offers it TCP, signals and abstract sockets. */
  LANDLOCK,
  /** System calls. */
  SECCOMP;

  /** Parses the line of {@link SandboxMain}: names joined by commas. */
  public static List<Layer> parse(String names) {
    return Arrays.stream(values())
        .filter(it -> Arrays.asList(names.split(",", -1)).contains(it.id()))
        .toList();
  }

  /** Returns names joined by commas, as {@link #parse} takes them. */
  public static String names(Collection<Layer> layers) {
    return layers.stream().map(Layer::id).collect(Collectors.joining(","));
  }

  /** The name in metrics and logs. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
