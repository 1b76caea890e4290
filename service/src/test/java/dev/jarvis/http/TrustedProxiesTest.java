package dev.jarvis.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.jarvis.config.AddressBlock;
import io.helidon.http.HeaderNames;
import io.helidon.http.WritableHeaders;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrustedProxiesTest {
  private static final TrustedProxies PROXIES =
      new TrustedProxies(
          Stream.of("10.0.0.0/8", "192.0.2.7", "fd00::/9").map(AddressBlock::parse).toList());

  /** Headers are alternating names and values. */
  private static String client(String peer, String... headers) {
    WritableHeaders<?> all = WritableHeaders.create();
    for (int i = 0; i < headers.length; i += 2) {
      all.add(HeaderNames.create(headers[i]), headers[i + 1]);
    }
    return PROXIES.clientAddress(new InetSocketAddress(InetAddress.ofLiteral(peer), 40_000), all);
  }

  private static String forwardedFor(String value) {
    return client("10.0.0.1", "X-Forwarded-For", value);
  }

  @Test
  void anUntrustedPeerIsTheClientWhateverItsHeadersSay() {
    assertThat(client("203.0.113.5", "X-Forwarded-For", "1.2.3.4", "Forwarded", "for=1.2.3.4"))
        .isEqualTo("203.0.113.5");
    assertThat(client("192.0.2.8", "X-Forwarded-For", "1.2.3.4")).isEqualTo("192.0.2.8");
    assertThat(client("10.0.0.1")).as("no header").isEqualTo("10.0.0.1");
  }

  @Test
  void withoutProxiesNoHeaderIsRead() {
    WritableHeaders<?> headers = WritableHeaders.create();
    headers.add(HeaderNames.create("X-Forwarded-For"), "1.2.3.4");
    assertThat(
            new TrustedProxies(List.of())
                .clientAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1), headers))
        .isEqualTo("127.0.0.1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1.2.3.4 | 1.2.3.4",
        "1.2.3.4:5678 | 1.2.3.4",
        "6.6.6.6, 1.2.3.4 | 1.2.3.4",
        "6.6.6.6, 1.2.3.4, 10.9.9.9, 192.0.2.7 | 1.2.3.4",
        "10.2.2.2, 10.3.3.3 | 10.2.2.2",
        "2001:db8::1 | 2001:db8:0:0:0:0:0:1",
        "[2001:db8::1]:443, fd00::1 | 2001:db8:0:0:0:0:0:1",
        "::ffff:1.2.3.4 | 1.2.3.4",
        "::ffff:10.1.1.1 | 10.1.1.1",
        "garbage, 1.2.3.4 | 1.2.3.4",
      })
  void theRightMostAddressThatIsNotAProxyIsTheClients(String value, String address) {
    assertThat(forwardedFor(value)).isEqualTo(address);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "for=1.2.3.4 | 1.2.3.4",
        "For=6.6.6.6, FOR=1.2.3.4;proto=https;by=10.0.0.1 | 1.2.3.4",
        "proto=https; for=\"1.2.3.4:80\" | 1.2.3.4",
        "for=\"[2001:db8::1]:4711\", for=10.1.1.1 | 2001:db8:0:0:0:0:0:1",
        "by=\"a,for=6.6.6.6\";for=1.2.3.4 | 1.2.3.4",
        "by=\"a\\\",for=6.6.6.6\";for=1.2.3.4 | 1.2.3.4",
      })
  void forwardedIsReadAsInRfc7239(String value, String address) {
    assertThat(client("10.0.0.1", "Forwarded", value)).isEqualTo(address);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",",
        "1.2.3.4,",
        "unknown",
        "localhost",
        "1.2.3",
        "1.2.3.400",
        "0x1.2.3.4",
        "1.2.3.4/24",
        "fe80::1%eth0",
        ":::",
        "[1.2.3.4",
        "1.2.3.4\u0000",
        "1.2.3.4 5.6.7.8",
      })
  void aMalformedAddressFallsBackToThePeers(String value) {
    assertThat(forwardedFor(value)).isEqualTo("10.0.0.1");
    assertThat(client("10.0.0.1", "Forwarded", "for=" + value)).isEqualTo("10.0.0.1");
    assertThat(forwardedFor("6.6.6.6, " + value + ", 10.1.1.1")).isEqualTo("10.0.0.1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"for=_hidden", "for=\"1.2.3.4", "for", "proto=http", "xfor=1.2.3.4", "for=\"\""})
  void forwardedWithoutAnAddressFallsBackToThePeers(String value) {
    assertThat(client("10.0.0.1", "Forwarded", value)).isEqualTo("10.0.0.1");
  }

  /** An unterminated quote of the client must not hide what the proxy appends. */
  @Test
  void aClientCannotChooseItsAddress() {
    for (String sent : List.of("for=6.6.6.6", "for=\"6.6.6.6", "a=\"", "a=\"\\", ";;=", "\"")) {
      assertThat(client("10.0.0.1", "Forwarded", sent, "Forwarded", "for=1.2.3.4"))
          .as(sent)
          .isIn("1.2.3.4", "10.0.0.1");
      assertThat(client("10.0.0.1", "Forwarded", sent + ", for=\"[2001:db8::1]\""))
          .as(sent)
          .isIn("2001:db8:0:0:0:0:0:1", "10.0.0.1");
    }
  }

  @Test
  void repeatedHeadersAreOneList() {
    assertThat(
            client(
                "10.0.0.1", "X-Forwarded-For", "6.6.6.6", "X-Forwarded-For", "1.2.3.4, 10.1.1.1"))
        .isEqualTo("1.2.3.4");
  }

  @Test
  void headersThatDisagreeAreIgnored() {
    assertThat(client("10.0.0.1", "X-Forwarded-For", "1.2.3.4", "Forwarded", "for=6.6.6.6"))
        .isEqualTo("10.0.0.1");
    assertThat(client("10.0.0.1", "X-Forwarded-For", "1.2.3.4", "Forwarded", "for=1.2.3.4"))
        .isEqualTo("1.2.3.4");
  }

  @Test
  void onlyTheEndOfLongHeadersIsRead() {
    assertThat(forwardedFor("6.6.6.6,".repeat(21) + "1.2.3.4")).isEqualTo("1.2.3.4");
    assertThat(forwardedFor("6.6.6.6,".repeat(5_000) + "1.2.3.4")).isEqualTo("1.2.3.4");
    assertThat(forwardedFor(" ".repeat(5_000) + "1.2.3.4")).isEqualTo("10.0.0.1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/x", "::/129", "proxy.local", "", "10.0.0.0/-1"})
  void aMalformedBlockIsRefused(String block) {
    assertThatThrownBy(() -> AddressBlock.parse(block))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
