package dev.jarvis.dialect.openai;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The host of an http or https URL. A URL that parsers read differently has none here, because the
 * model server could connect to another host than the one that was checked.
 *
 * @param name in lower case
 * @param address if the name is an address
 */
record UrlHost(String name, Optional<InetAddress> address) {
  /** A name needs a dot; one without is a host of the local network. */
  private static final Pattern NAME = Pattern.compile("([a-z0-9_-]{1,63}\\.)+[a-z][a-z0-9-]{0,62}");

  /** Four decimal numbers. Not every parser accepts other forms, such as 127.1 or 0x7f000001. */
  private static final Pattern IPV4 =
      Pattern.compile("((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(?!$)|$)){4}");

  /** Empty if the URL has another scheme, user information or an unusual host. */
  static Optional<UrlHost> of(String url) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
    boolean http = "http".equalsIgnoreCase(uri.getScheme());
    if ((!http && !"https".equalsIgnoreCase(uri.getScheme()))
        || uri.getHost() == null
        || uri.getRawUserInfo() != null) {
      return Optional.empty();
    }
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    if (host.startsWith("[")) {
      return ipv6(host);
    }
    String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    if (IPV4.matcher(name).matches()) {
      return Optional.of(new UrlHost(name, Optional.of(InetAddress.ofLiteral(name))));
    }
    return NAME.matcher(name).matches()
        ? Optional.of(new UrlHost(name, Optional.empty()))
        : Optional.empty();
  }

  private static Optional<UrlHost> ipv6(String host) {
    try {
      InetAddress address = InetAddress.ofLiteral(host.substring(1, host.length() - 1));
      // an IPv4-mapped IPv6 address, such as ::ffff:127.0.0.1, becomes an IPv4 address
      return host.contains("%") || address instanceof Inet4Address
          ? Optional.empty()
          : Optional.of(new UrlHost(host, Optional.of(address)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
