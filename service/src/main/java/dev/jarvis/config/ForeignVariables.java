package dev.jarvis.config;

import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Variables that begin with JARVIS_ and are no keys of the service. */
public final class ForeignVariables {
  /** Of the Makefile, the stack and its tests; JARVIS_CONFIG names the service's own file. */
  public static final Set<String> OF_SCRIPTS =
      Set.of(
          "JARVIS_CACHE",
          "JARVIS_CONFIG",
          "JARVIS_E2E_API_KEY",
          "JARVIS_E2E_PGVECTOR",
          "JARVIS_E2E_WEBHOOK_PORT",
          "JARVIS_ENVIRONMENT",
          "JARVIS_LOKI",
          "JARVIS_PUBLISH",
          "JARVIS_STACK_HOME",
          "JARVIS_STACK_TIMING");

  /**
   * What Kubernetes sets in the pods beside a service named {@code jarvis} or {@code jarvis-…}, by
   * the form of the values.
   */
  private static final Pattern SERVICE_LINK =
      Pattern.compile(
          "(?<service>JARVIS(_[A-Z0-9_]+?)?)"
              + "(_SERVICE_HOST=[0-9a-fA-F.:]+"
              + "|_SERVICE_PORT(_[A-Z0-9_]+)?=\\d+"
              + "|_PORT(_\\d+_(TCP|UDP|SCTP))?=(tcp|udp|sctp)://\\S+"
              + "|_PORT_\\d+_(TCP|UDP|SCTP)_(PROTO=[a-z]+|PORT=\\d+|ADDR=[0-9a-fA-F.:]+))");

  private ForeignVariables() {}

  /** Whether a variable is not meant for the service. */
  static boolean contains(String name, Map<String, String> environment) {
    if (OF_SCRIPTS.contains(name)) {
      return true;
    }
    Matcher link = SERVICE_LINK.matcher(name + "=" + environment.get(name));
    return link.matches() && environment.containsKey(link.group("service") + "_SERVICE_HOST");
  }
}
