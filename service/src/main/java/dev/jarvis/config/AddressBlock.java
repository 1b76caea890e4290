package dev.jarvis.config;

import java.net.InetAddress;
import java.util.regex.Pattern;

/**
 * Addresses that begin with the same bits (RFC 4632).
 *
 * @param bits the length of the prefix
 */
@Allowed("an address or a CIDR block, such as 10.0.0.0/8 or ::1")
public record AddressBlock(InetAddress network, int bits) {
  /** IPv4 in full, or IPv6 without brackets and zone. */
  private static final Pattern LITERAL =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40}");

  /**
   * Reads an address or a CIDR block, such as {@code ::1} or {@code 10.0.0.0/8}.
   *
   * @throws IllegalArgumentException if it is neither, with the wrong part in its message
   */
  public static AddressBlock parse(String text) {
    String[] parts = text.split("/", 2);
    InetAddress network = literal(parts[0]);
    int most = network.getAddress().length * 8;
    if (parts.length == 1) {
      return new AddressBlock(network, most);
    }
    if (!parts[1].matches("\\d{1,3}") || Integer.parseInt(parts[1]) > most) {
      throw new IllegalArgumentException(
          "'%s' is not a prefix length from 0 to %d".formatted(parts[1], most));
    }
    return new AddressBlock(network, Integer.parseInt(parts[1]));
  }

  private static InetAddress literal(String text) {
    try {
      if (LITERAL.matcher(text).matches()) {
        return InetAddress.ofLiteral(text); // no DNS lookup
      }
    } catch (IllegalArgumentException e) {
      // the message below says it without Java's words
    }
    throw new IllegalArgumentException("'" + text + "' is not an IP address");
  }

  /** An IPv4 block contains no IPv6 address, and the other way round. */
  public boolean contains(InetAddress address) {
    byte[] ours = network.getAddress();
    byte[] theirs = address.getAddress();
    if (ours.length != theirs.length) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      if (((ours[bit / 8] ^ theirs[bit / 8]) & (0x80 >> bit % 8)) != 0) {
        return false;
      }
    }
    return true;
  }
}
