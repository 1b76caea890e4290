package dev.jarvis.http;

import dev.jarvis.config.AddressBlock;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Determines the address of the client of a request. The peer of the connection is the client,
 * unless it is a trusted proxy: then {@code Forwarded} (RFC 7239) or {@code X-Forwarded-For} names
 * the client. Each proxy appends the address of its own peer, so the right-most address that is not
 * a trusted proxy is the client. Addresses to the left of it are claims of the client.
 *
 * <p>The peer counts as the client if an address is missing or malformed, or if both headers are
 * present and disagree: a proxy maintains one of them and passes on the other as the client sent
 * it.
 */
public final class TrustedProxies {
  private static final HeaderName X_FORWARDED_FOR = HeaderNames.create("X-Forwarded-For");

  /** The maximum number of proxies to look at. */
  private static final int MAX_HOPS = 20;

  private static final int MAX_HEADER_CHARS = 4_096;

  private static final Pattern FOR =
      Pattern.compile(
          "(?:^|;)\\s*for=(?:\"([^\"\\\\]*)\"|([^;\"\\s]*))\\s*(?:;|$)", Pattern.CASE_INSENSITIVE);

  /** IPv4 or IPv6 in brackets, with or without a port, or IPv6 alone. */
  private static final Pattern NODE =
      Pattern.compile(
          "(?:(\\d{1,3}(?:\\.\\d{1,3}){3})|\\[([0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40})\\])(?::[A-Za-z0-9._-]{1,16})?"
              + "|([0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40})");

  private final List<AddressBlock> blocks;

  public TrustedProxies(List<AddressBlock> blocks) {
    this.blocks = List.copyOf(blocks);
  }

  /** The client's address, in the form that {@link InetAddress#getHostAddress} gives. */
  public String clientAddress(SocketAddress peer, Headers headers) {
    if (!(peer instanceof InetSocketAddress inet) || inet.getAddress() == null) {
      return "";
    }
    InetAddress client = inet.getAddress();
    return (trusts(client) ? forwarded(client, headers) : client).getHostAddress();
  }

  private InetAddress forwarded(InetAddress peer, Headers headers) {
    List<String> forwarded = nodes(headers, HeaderNames.FORWARDED);
    List<String> xForwarded = nodes(headers, X_FORWARDED_FOR);
    if (forwarded.isEmpty() || xForwarded.isEmpty()) {
      return client(forwarded.isEmpty() ? xForwarded : forwarded).orElse(peer);
    }
    Optional<InetAddress> client = client(forwarded);
    return client.equals(client(xForwarded)) ? client.orElse(peer) : peer;
  }

  private Optional<InetAddress> client(List<String> nodes) {
    Optional<InetAddress> client = Optional.empty();
    for (String node : nodes.reversed()) {
      client = address(node);
      if (client.isEmpty() || !trusts(client.get())) {
        return client;
      }
    }
    return client;
  }

  private boolean trusts(InetAddress address) {
    return blocks.stream().anyMatch(it -> it.contains(address));
  }

  /**
   * The addresses in a header, as they are written, in the order from the client to the last proxy.
   * Of a header that is too long, the last ones, because those are from the proxies.
   */
  private static List<String> nodes(Headers headers, HeaderName name) {
    if (!headers.contains(name)) {
      return List.of();
    }
    String value = String.join(",", headers.get(name).allValues());
    if (value.length() > MAX_HEADER_CHARS) {
      int comma = value.indexOf(',', value.length() - MAX_HEADER_CHARS);
      value = comma < 0 ? "" : value.substring(comma + 1); // begins with a whole element
    }
    List<String> nodes =
        name.equals(HeaderNames.FORWARDED) ? forNodes(value) : List.of(value.split(",", -1));
    return nodes.subList(Math.max(0, nodes.size() - MAX_HOPS), nodes.size());
  }

  /** The parameter {@code for} of each element of {@code Forwarded}; empty if it has none. */
  private static List<String> forNodes(String value) {
    return elements(value).stream()
        .map(it -> FOR.matcher(it.strip()))
        .map(it -> it.find() ? (it.group(1) == null ? it.group(2) : it.group(1)) : "")
        .toList();
  }

  /** Splits at commas outside of quotes; after an unterminated quote, the last element is empty. */
  private static List<String> elements(String value) {
    List<String> elements = new ArrayList<>();
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"') {
        quoted = !quoted;
      } else if (c == '\\' && quoted) {
        i++;
      } else if (c == ',' && !quoted) {
        elements.add(value.substring(start, i));
        start = i + 1;
      }
    }
    elements.add(quoted ? "" : value.substring(start));
    return elements;
  }

  static Optional<InetAddress> address(String node) {
    Matcher matcher = NODE.matcher(node.strip());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    for (int i = 1; i <= 3; i++) {
      if (matcher.group(i) != null) {
        try {
          return Optional.of(InetAddress.ofLiteral(matcher.group(i))); // no DNS lookup
        } catch (IllegalArgumentException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }
}
