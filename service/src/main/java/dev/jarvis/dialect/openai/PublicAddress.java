package dev.jarvis.dialect.openai;

import dev.jarvis.config.AddressBlock;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

/**
 * Distinguishes addresses of the public internet from all others, by IANA's registries of
 * special-purpose <a href="https://www.iana.org/assignments/iana-ipv4-special-registry">IPv4</a>
 * and <a href="https://www.iana.org/assignments/iana-ipv6-special-registry">IPv6</a> addresses.
 */
final class PublicAddress {
  private static final List<AddressBlock> NOT_PUBLIC =
      blocks(
          "0.0.0.0/8", // this network
          "10.0.0.0/8", // private
          "100.64.0.0/10", // shared by providers; Alibaba's metadata service
          "127.0.0.0/8", // loopback
          "168.63.129.16/32", // Azure's own services
          "169.254.0.0/16", // link-local; metadata services of most clouds
          "172.16.0.0/12", // private
          "192.0.0.0/24", // protocols; Oracle's metadata service
          "192.0.2.0/24", // documentation
          "192.88.99.0/24", // relays to IPv6
          "192.168.0.0/16", // private
          "198.18.0.0/15", // benchmarks
          "198.51.100.0/24", // documentation
          "203.0.113.0/24", // documentation
          "224.0.0.0/4", // multicast
          "240.0.0.0/4", // reserved; broadcast
          "2001::/23", // protocols; Teredo, which leads to any IPv4 address
          "2001:db8::/32", // documentation
          "2002::/16", // 6to4, which leads to any IPv4 address
          "3fff::/20"); // documentation

  /**
   * The IPv6 block of all assigned public addresses; unique-local and link-local are outside of it.
   */
  private static final AddressBlock GLOBAL_IPV6 = AddressBlock.parse("2000::/3");

  /** NAT64: gives networks without IPv4 access to it; the last 32 bits are the IPv4 address. */
  private static final AddressBlock NAT64 = AddressBlock.parse("64:ff9b::/96");

  private PublicAddress() {}

  private static List<AddressBlock> blocks(String... cidrs) {
    return Arrays.stream(cidrs).map(AddressBlock::parse).toList();
  }

  static boolean is(InetAddress address) {
    if (NAT64.contains(address)) {
      byte[] bytes = address.getAddress();
      return is(byAddress(Arrays.copyOfRange(bytes, 12, 16)));
    }
    return NOT_PUBLIC.stream().noneMatch(it -> it.contains(address))
        && (!(address instanceof Inet6Address) || GLOBAL_IPV6.contains(address));
  }

  private static InetAddress byAddress(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("an IPv4 address has four bytes", e);
    }
  }
}
