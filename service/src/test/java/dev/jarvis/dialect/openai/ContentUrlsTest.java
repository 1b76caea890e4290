package dev.jarvis.dialect.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jarvis.TestService;
import dev.jarvis.error.ApiException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** URLs in messages. */
@Timeout(60)
class ContentUrlsTest {
  private static final String FIELD = "messages[0].content[1].image_url.url";
  private static final Map<String, List<String>> DNS =
      Map.of(
          "public.example", List.of("8.8.8.8", "2606:4700::1111"),
          "public.example.", List.of("8.8.8.8"),
          "inner.example", List.of("10.0.0.1"),
          "mixed.example", List.of("8.8.8.8", "169.254.169.254"),
          "mixed6.example", List.of("8.8.8.8", "fd00::1"),
          "empty.example", List.of());

  private final Set<String> resolved = ConcurrentHashMap.newKeySet();
  private final CountDownLatch slow = new CountDownLatch(1);
  private final ContentUrls urls = urls(ContentUrls.Mode.PUBLIC, Duration.ofSeconds(30));

  private ContentUrls urls(ContentUrls.Mode mode, Duration limit) {
    return new ContentUrls(mode, this::resolve, limit);
  }

  private InetAddress[] resolve(String host) throws UnknownHostException {
    resolved.add(host);
    if (host.equals("slow.example")) {
      try {
        slow.await();
      } catch (InterruptedException e) {
        throw new UnknownHostException(host);
      }
    }
    List<String> addresses = DNS.get(host);
    if (addresses == null) {
      throw new UnknownHostException(host);
    }
    return addresses.stream().map(InetAddress::ofLiteral).toArray(InetAddress[]::new);
  }

  @AfterEach
  void close() {
    slow.countDown();
    urls.close();
  }

  private static ObjectNode body(String url) {
    ObjectNode body =
        (ObjectNode)
            TestService.json(
                """
                {"messages": [{"role": "user", "content": [{"type": "text", "text": "http://10.0.0.1/"},
                  {"type": "image_url", "image_url": {}}]}]}""");
    ((ObjectNode) body.at("/messages/0/content/1/image_url")).put("url", url);
    return body;
  }

  private void assertRefused(ContentUrls urls, String url, String words) {
    assertThatExceptionOfType(ApiException.InvalidRequest.class)
        .as(url)
        .isThrownBy(() -> urls.check(body(url)))
        .withMessageContaining("'" + FIELD + "' must be a data: URL")
        .withMessageContaining(words)
        .satisfies(
            e -> {
              assertThat(e.param()).isEqualTo(FIELD);
              assertThat(e.code()).isEqualTo("content_url_refused");
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data:image/png;base64,aGk=",
        "https://public.example/x.png?a=b#c",
        "http://PUBLIC.example:8080/x",
        "https://public.example./x",
        "https://8.8.8.8/x",
        "http://[2606:4700::1111]:80/x",
        "http://[64:ff9b::808:808]/x"
      })
  void publicHostsPass(String url) {
    assertThatCode(() -> urls.check(body(url))).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://127.0.0.1/",
        "http://10.1.2.3/",
        "http://172.31.0.1/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::]/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:7f00:1::]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[::7f00:1]/",
        "http://inner.example/",
        "http://mixed.example/",
        "http://mixed6.example/",
        "http://empty.example/",
        "http://unknown.example/"
      })
  void hostsThatAreNotPublicAreRefused(String url) {
    assertRefused(urls, url, "' is not");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://2130706433/",
        "http://127.0.0.1./",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://8.8.8.8.8/",
        "http://08.8.8.8/",
        "http://[::ffff:8.8.8.8]/",
        "http://[::ffff:7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://localhost/",
        "http://redis:6379/",
        "http://user@public.example/",
        "http://public.example@127.0.0.1/",
        "http://public.example\\@127.0.0.1/",
        "http://127%2e0.0.1/",
        "http://１２７.0.0.1/",
        "http:///127.0.0.1/",
        "http://public.example /",
        "http://public.exam\tple/",
        "ftp://public.example/",
        "file:///etc/passwd",
        "//public.example/x",
        ""
      })
  void urlsOfAnyOtherFormAreRefused(String url) {
    assertRefused(urls, url, "this URL is not one");
    assertThat(resolved).isEmpty();
  }

  @Test
  void unknownAndInternalHostsGetTheSameError() {
    List<String> messages =
        Arrays.stream(new String[] {"inner.example", "other.example"})
            .map(host -> catchMessage("http://" + host + "/").replace(host, "HOST"))
            .toList();

    assertThat(messages.get(0)).isEqualTo(messages.get(1));
  }

  private String catchMessage(String url) {
    try {
      urls.check(body(url));
      return "passed";
    } catch (ApiException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void aLookupThatHangsTimesOutAndDoesNotBlockOthers() {
    try (ContentUrls hasty = urls(ContentUrls.Mode.PUBLIC, Duration.ofMillis(50))) {
      assertRefused(hasty, "http://slow.example/", "could not be resolved within 50 ms");
    }
    assertThatCode(() -> urls.check(body("http://public.example/"))).doesNotThrowAnyException();
  }

  @Test
  void everyUrlOfAMessageIsCheckedWhateverThePartsType() {
    ObjectNode body =
        (ObjectNode)
            TestService.json(
                """
                {"messages": [{"role": "user", "content": [
                  {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                  {"type": "text", "text": "x", "video_url": {"url": "http://10.0.0.1/"}}]}]}""");

    assertThatExceptionOfType(ApiException.InvalidRequest.class)
        .isThrownBy(() -> urls.check(body))
        .satisfies(e -> assertThat(e.param()).isEqualTo("messages[0].content[1].video_url.url"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'image_url': {'url': 'data:image/png;base64,aGk=', 'URL': 'http://10.0.0.1/'}}",
        "{'Image_URL': 'http://10.0.0.1/'}",
        "{'imageUrl': ['data:image/png;base64,aGk=', 'http://10.0.0.1/']}"
      })
  void otherLetterCasesAndListsAreCheckedToo(String part) {
    ObjectNode body =
        (ObjectNode)
            TestService.json(
                "{'messages': [{'role': 'user', 'content': [%s]}]}"
                    .formatted(part)
                    .replace('\'', '"'));

    assertThatExceptionOfType(ApiException.InvalidRequest.class)
        .isThrownBy(() -> urls.check(body))
        .withMessageContaining("10.0.0.1");
  }

  /** Servers that run tools and open files themselves. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'tools': [{'type': 'http', 'parameters': {'url': 'http://10.0.0.1/'}}]}",
        "{'tools': [{'type': 'mcp', 'server_url': 'http://10.0.0.1/'}]}",
        "{'messages': [{'role': 'user', 'content': [{'type': 'image', 'path': '/data/x.png'}]}]}",
        "{'messages': [{'role': 'user', 'content': [{'type': 'doc', 'file_path': '/etc/passwd'}]}]}"
      })
  void whatAServerOpensItselfIsChecked(String request) {
    ObjectNode body = (ObjectNode) TestService.json(request.replace('\'', '"'));

    assertThatExceptionOfType(ApiException.InvalidRequest.class).isThrownBy(() -> urls.check(body));
  }

  @Test
  void citationsOfAnEarlierAnswerAreNotChecked() {
    ObjectNode body =
        (ObjectNode)
            TestService.json(
                """
                {"messages": [{"role": "assistant", "content": "x", "annotations": [
                  {"type": "url_citation", "url_citation": {"url": "http://gone.example/"}}]}]}""");

    assertThatCode(() -> urls.check(body)).doesNotThrowAnyException();
  }

  @Test
  void theNumberOfHostsIsLimited() {
    ObjectNode body = body("http://public.example/");
    for (int i = 0; i < 17; i++) {
      body.withArray("messages").addObject().put("url", "http://h" + i + ".example/");
    }

    assertThatExceptionOfType(ApiException.InvalidRequest.class)
        .isThrownBy(() -> urls.check(body))
        .withMessageContaining("URLs of 18 hosts; the maximum is 16");
    assertThat(resolved).isEmpty();
  }

  @Test
  void refuseAcceptsOnlyDataAndPassAcceptsAll() {
    try (ContentUrls none = urls(ContentUrls.Mode.REFUSE, Duration.ofSeconds(1));
        ContentUrls all = urls(ContentUrls.Mode.PASS, Duration.ofSeconds(1))) {
      assertRefused(none, "https://public.example/", "does not accept http");
      assertThatCode(() -> none.check(body("data:image/png;base64,aGk=")))
          .doesNotThrowAnyException();
      assertThatCode(() -> all.check(body("http://127.0.0.1/"))).doesNotThrowAnyException();
    }
    assertThat(resolved).isEmpty();
  }
}
